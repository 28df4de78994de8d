"""The helpers beside the tests are imported by them, never collected as doctests."""

from pathlib import Path

from hypothesis import settings

# The same examples in every run: a red test can be run again, and what is green stays so. To look
# for new examples: pytest --hypothesis-profile=default
settings.register_profile("reproducible", derandomize=True)
settings.load_profile("reproducible")

# Collected as well, they would be imported under a second name, and register twice.
collect_ignore = [
    path.name for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")
]
