"""Every data source has a card that says what must be known before its data are used."""

import inspect
import re
from pathlib import Path

import pytest

from mammography.preparation.converters import find_converter, known_sources

DATASET = Path(__file__).parents[1] / "dataset"
SECTIONS = [
    "Origin",
    "Licence",
    "How to get it",
    "Fields used",
    "Label definition",
    "Traps",
    "Counts to expect",
]


def problems(folder: Path, source: str) -> list[str]:
    """Return what the card of a source lacks."""
    card = folder / source / "README.md"
    if not card.is_file():
        return [f"{card} must exist"]
    title, *sections = re.split(r"^## ", card.read_text(), flags=re.MULTILINE)
    found = {section.partition("\n")[0].strip(): section for section in sections}
    wrong = [] if title.startswith(f"# {source}\n") else [f"the title must be {source}"]
    wrong += [f"section {name} must exist" for name in SECTIONS if name not in found]
    empty = [name for name in SECTIONS if name in found and len(found[name].split()) < 5]
    return wrong + [f"section {name} must say something" for name in empty]


@pytest.mark.parametrize("source", known_sources())
def test_every_source_has_a_card_with_all_sections(source):
    assert not problems(DATASET, source)


def options_without_row(card, read_records):
    """Return the options of a converter that no first cell of a table in the card names."""
    first_cells = " ".join(line.split("|")[1] for line in card.splitlines() if line[:1] == "|")
    parameters = inspect.signature(read_records).parameters.values()
    options = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    return [name for name in options if f"`{name}`" not in first_cells]


@pytest.mark.parametrize("source", known_sources())
def test_every_option_of_a_source_has_a_row_in_its_card(source):
    card = (DATASET / source / "README.md").read_text()
    assert not options_without_row(card, find_converter(source).module.read_records)


def test_an_option_without_a_row_is_found():
    def read_records(root, *, table="", views=()):
        """Two options."""

    assert options_without_row("views are `views`\n| `table` | |\n", read_records) == ["views"]


@pytest.mark.parametrize("source", known_sources())
def test_the_contract_lists_every_source(source):
    assert f"({source}/README.md)" in (DATASET / "README.md").read_text()


def test_the_contract_says_first_that_no_code_lives_here():
    assert (
        (DATASET / "README.md").read_text().startswith("# Data and cards live here, never code\n")
    )
    assert not list(DATASET.rglob("*.py"))


def test_a_card_that_is_absent_or_lacks_a_section_is_found(tmp_path):
    assert problems(tmp_path, "made_up") == [f"{tmp_path}/made_up/README.md must exist"]
    (tmp_path / "made_up").mkdir()
    text = "# made_up\n" + "".join(f"## {name}\nfive words are enough here\n" for name in SECTIONS)
    (tmp_path / "made_up" / "README.md").write_text(text.replace("## Traps", "## Tips"))
    assert problems(tmp_path, "made_up") == ["section Traps must exist"]
    (tmp_path / "made_up" / "README.md").write_text(text.replace("five words are enough here", ""))
    assert len(problems(tmp_path, "made_up")) == len(SECTIONS)
