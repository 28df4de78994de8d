"""The helpers beside the tests are imported by them, never collected as doctests."""

from pathlib import Path

# Collected as well, they would be imported under a second name, and register twice.
collect_ignore = [
    path.name for path in Path(__file__).parent.glob("*.py") if not path.name.startswith("test_")
]
