"""What the tables of a source say, in numbers, without looking at an image."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mammography.preparation.converters import find_converter
from mammography.preparation.counts import count_listed
from mammography.preparation.splits import SplitError, split_patients
from mammography.preparation.study import DatasetOptions


@dataclass(frozen=True)
class DryRun:
    """The result of a dry run.

    Attributes:
        counts: Plain dictionary, to print as JSON.
        refused_rows: How many rows are not understood.
    """

    counts: dict[str, Any]
    refused_rows: int

    @property
    def exit_code(self) -> int:
        """0: every row is understood; 1: some are not, and nothing would be prepared."""
        return 1 if self.refused_rows else 0


def count_source(
    source: str, root: Path | None = None, options: DatasetOptions | None = None
) -> DryRun:
    """Read the tables of a source and count what they list; touch no image, write nothing.

    Splits are those that the preparation would give. Rows that are not understood are
    counted nowhere else.

    Args:
        source: Name of a converter in :mod:`mammography.preparation.sources`.
        root: Where the source lies; a source that is a package finds itself.
        options: As for the preparation.

    Raises:
        ValueError: If a table, an option or a task is not as it must be, or there is a
            limit: it goes by the paths of the images.
        FileNotFoundError: If the source is not there.
    """
    options = options or DatasetOptions()
    if options.limit is not None:
        raise ValueError(f"--limit must not be given with --dry-run, got {options.limit}")
    converter = find_converter(source)
    root = converter.find_root(root)
    tasks = converter.find_tasks(options.tasks, root, options.source_options)
    contents = converter.read_contents(root, tasks, options.source_options)
    records, refused, wrong_splits = contents.records, [], None
    for problems in contents.problems:
        name = Path(problems.name).name
        refused += [f"{name}: {place}" for place in problems.places()]
    try:
        splits, given = split_patients(records, tasks, options.fractions, options.seed)
        records = tuple(replace(r, split=splits[str(r.patient_id)]) for r in records)
    except SplitError as error:
        given, wrong_splits = True, str(error)
    counts = {
        "source": source,
        "level": converter.level.value,
        "rows": contents.rows,
        "refused_rows": len(refused),
        "refused": [f"{Path(p.name).name}: {text}" for p in contents.problems for text in p.found],
        **count_listed(records, tasks, converter.level),
        "splits_are": "of the source" if given else "drawn",
        "split_error": wrong_splits,
        **contents.facts,
    }
    return DryRun(counts, len(refused))
