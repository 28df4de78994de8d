"""The report of one run: training, validation and test on one page."""

from collections.abc import Callable
from pathlib import Path

from mammography.reports.blocks import Section
from mammography.reports.page import render_page, write_page
from mammography.reports.run_folder import Run, read_run
from mammography.reports.sections.cohort import cohort_section
from mammography.reports.sections.configuration import configuration_section
from mammography.reports.sections.examples import examples_section
from mammography.reports.sections.methods import methods_section
from mammography.reports.sections.results import results_section
from mammography.reports.sections.summary import summary_section
from mammography.reports.sections.tasks import tasks_section
from mammography.reports.sections.training import training_section
from mammography.reports.sections.validation import validation_section

SECTIONS: tuple[Callable[[Run], Section], ...] = (
    summary_section,
    results_section,
    cohort_section,
    tasks_section,
    examples_section,
    training_section,
    validation_section,
    methods_section,
    configuration_section,
)


def write_run_report(run_dir: Path, out: Path | None = None, data_root: Path | None = None) -> Path:
    """Write the self-contained page of a run.

    What the run did not leave behind is named on the page, with the command that makes it.

    Args:
        run_dir: ``work_dirs/<config name>``.
        out: File to write; ``report.html`` in the run by default.
        data_root: Folder of the data set, when it has moved since the test.

    Returns:
        The file written.

    Raises:
        FileNotFoundError: If ``run_dir`` is not a folder.
    """
    run = read_run(Path(run_dir), data_root)
    out = Path(out) if out else Path(run_dir) / "report.html"
    sections = [make(run) for make in SECTIONS]
    write_page(out, render_page("Run report", run.name, sections))
    return out
