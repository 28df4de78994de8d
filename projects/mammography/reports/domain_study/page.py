"""The page of a study."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mammography.reports.blocks import (
    Block,
    Details,
    Facts,
    Listing,
    Section,
    Table,
    Text,
    Tone,
)
from mammography.reports.cases import CASES
from mammography.reports.domain_study.cells import Cell, Outcome, score_of_a_case
from mammography.reports.domain_study.curves import curve_parts
from mammography.reports.domain_study.files import write_cells, write_models
from mammography.reports.domain_study.measures import Measure, measure_cells
from mammography.reports.domain_study.methods import method_notes
from mammography.reports.domain_study.model_comparison import ModelComparison, compare_models
from mammography.reports.domain_study.model_tables import model_tables
from mammography.reports.domain_study.tables import (
    AT_HOME,
    cell_table,
    comparison_table,
    measure_table,
)
from mammography.reports.page import render_page, write_page
from mammography.reports.text_tables import to_markdown
from mammography.reports.wording import counted

_SEEDS = (
    "Several trainings of a model: the mean of their areas ± the standard deviation over "
    "their seeds, which is not an interval for other patients."
)


@dataclass(frozen=True)
class StudyFacts:
    """What a page tells beside the numbers.

    Attributes:
        name: Of the study.
        outcome: What is measured.
        models: Name of each training to what it is.
        statistics: Name of each choice of statistics to what it is.
        config: Text of the study file.
    """

    name: str
    outcome: Outcome
    models: Mapping[str, str]
    statistics: Mapping[str, str]
    config: str


def write_study_results(folder: Path, facts: StudyFacts, cells: Sequence[Cell]) -> list[Measure]:
    """Write ``table.csv``, ``table.md`` and ``report.html``; of compared models ``models.csv``.

    Args:
        folder: Where to write them.
        facts: What was studied.
        cells: Every cell of the study, in the order of the table; a cell without
            predictions stays empty and says why.

    Returns:
        What was measured.
    """
    outcome = facts.outcome
    measures = measure_cells(cells, outcome)
    models = compare_models(measures, outcome)
    write_cells(folder / "table.csv", measures, outcome)
    if models:
        write_models(folder / "models.csv", models)
    write_page(folder / "table.md", _markdown(facts, measures, models))
    sections = (
        Section("summary", "Summary", tuple(_summary(facts, measures))),
        *_sections_of_results(outcome, measures, models),
        Section("curves", "Curves", _curves(facts, measures)),
        Section("cells", "All cells", (cell_table(measures, outcome), _cohort(measures))),
        Section("methods", "Methods", (Listing(tuple(method_notes(outcome, measures))),)),
        Section("configuration", "Configuration", tuple(_configuration(facts))),
    )
    kind = "Comparison of models" if outcome.reference_model else "Domain study"
    write_page(folder / "report.html", render_page(kind, facts.name, sections))
    return measures


def _sections_of_results(
    outcome: Outcome, measures: Sequence[Measure], models: Sequence[ModelComparison]
) -> Iterator[Section]:
    if models:
        tables = tuple(model_tables(models, outcome.reference_model))
        yield Section("models", "Models", tables)
    if not _tells_all(models, measures):
        yield Section("results", "Results", tuple(_results(outcome, measures)))
        yield Section("tests", "Tests", tuple(_tests(outcome, measures)))


def _tells_all(models: Sequence[ModelComparison], measures: Sequence[Measure]) -> bool:
    """Whether the tables of models hold all results: one target, one choice of statistics."""
    conditions = {(m.cell.target, m.cell.statistics, m.cell.input) for m in measures}
    named = {(one.cell.model, one.cell.trained_on) for one in models}
    return len(conditions) == 1 and named == {(m.cell.model, m.cell.trained_on) for m in measures}


def _summary(facts: StudyFacts, measures: Sequence[Measure]) -> Iterator[Block]:
    for note, cells in _notes(measures).items():
        first = "; ".join(cells[:3]) + (f" and {len(cells) - 3} more" if len(cells) > 3 else "")
        yield Text(f"{counted(len(cells), 'cell')} ({first}): {note}.", Tone.WARNING)
    outcome = facts.outcome
    done = sum(measure.cases is not None for measure in measures)
    seen = {str(m.cases.info.get("versions")): m.cases.info for m in measures if m.cases}
    versions = [info.get("versions") or {} for info in seen.values()]
    statistics = f"{outcome.reference} statistics"
    rows = [
        ("Task", outcome.task),
        ("One case", CASES[outcome.level]),
        ("Score of a case", score_of_a_case(outcome, seen.values())),
        ("Reference", ", ".join(filter(None, (outcome.reference_model, statistics)))),
        ("Cells evaluated", f"{done} of {len(measures)}"),
        ("Tested with", "; ".join(_versions(one) for one in versions) or "nothing"),
    ]
    yield Facts(tuple(rows))


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in versions.items()) or "not recorded"


def _notes(measures: Sequence[Measure]) -> dict[str, list[str]]:
    """Collect the cells of each note."""
    notes: dict[str, list[str]] = {}
    for measure in measures:
        cell = measure.cell
        if measure.note:
            name = f"{cell.run_name} on {cell.target}, {cell.statistics}"
            notes.setdefault(measure.note.rstrip("."), []).append(name)
    return notes


def _results(outcome: Outcome, measures: Sequence[Measure]) -> Iterator[Block]:
    for name in outcome.measures:
        yield measure_table(measures, name)
    yield Text(_legend(measures))


def _legend(measures: Sequence[Measure]) -> str:
    text = (
        "In parentheses 95 % intervals from resampled patients. "
        f"{AT_HOME} tested on a hospital that it was trained on."
    )
    several = len({measure.cell.seed for measure in measures} - {None}) > 1
    return f"{text} {_SEEDS}" if several else text


def _tests(outcome: Outcome, measures: Sequence[Measure]) -> Iterator[Block]:
    table = comparison_table(measures, outcome)
    if table is None:
        yield Text("There is nothing to compare.", Tone.MISSING)
    else:
        yield table


def _curves(facts: StudyFacts, measures: Sequence[Measure]) -> tuple[Block, ...]:
    missing = Text("No cell has cases of both classes.", Tone.MISSING)
    return curve_parts(measures, facts.outcome) or (missing,)


def _cohort(measures: Sequence[Measure]) -> Table:
    """Count what each target holds; results on other cases of one target have rows of their own."""
    rows: dict[tuple[str, ...], None] = {}
    for measure in measures:
        if cases := measure.cases:
            counts = (
                cases.images,
                len(cases.labels),
                cases.positives,
                len(np.unique(cases.patients)),
                cases.unlabelled,
            )
            rows[(measure.cell.target, *(f"{count:,}" for count in counts))] = None
    header = ("target", "images", "n", "positive", "patients", "without a label")
    return Table("Cases of the targets", header, tuple(rows))


def _configuration(facts: StudyFacts) -> Iterator[Block]:
    for caption, rows in (("Models", facts.models), ("Statistics", facts.statistics)):
        yield Table(caption, ("name", "what it is"), tuple(rows.items()), wide=(1,))
    lines = len(facts.config.splitlines())
    yield Details(f"Study file as it ran ({lines} lines)", facts.config)


def _markdown(
    facts: StudyFacts, measures: Sequence[Measure], models: Sequence[ModelComparison]
) -> str:
    outcome = facts.outcome
    comparisons = comparison_table(measures, outcome)
    tables = [*(model_tables(models, outcome.reference_model) if models else ())]
    if not _tells_all(models, measures):
        tables += [measure_table(measures, name) for name in outcome.measures]
    blocks = [
        f"# {facts.name}",
        *map(to_markdown, tables),
        _legend(measures),
        *([to_markdown(comparisons)] if comparisons else []),
        to_markdown(_cohort(measures)),
        *(f"- {note}: {'; '.join(cells)}" for note, cells in _notes(measures).items()),
        "\n".join(f"- {sentence}" for sentence in method_notes(outcome, measures)),
    ]
    return "\n\n".join(blocks) + "\n"
