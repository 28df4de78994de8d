"""From dumps to the page, its tables as files and as Markdown."""

from collections.abc import Sequence
from pathlib import Path

from mammography.functional.area_estimates import estimate_areas
from mammography.functional.curve_bands import BootstrappedCurves, bootstrap_curves
from mammography.reports.blocks import Listing
from mammography.reports.evidence.chapter import Chapter
from mammography.reports.evidence.chapters.calibration import calibration_chapter
from mammography.reports.evidence.chapters.cohort import cohort_chapter
from mammography.reports.evidence.chapters.comparison import comparison_chapter
from mammography.reports.evidence.chapters.decision import decision_chapter
from mammography.reports.evidence.chapters.discrimination import discrimination_chapter
from mammography.reports.evidence.chapters.distributions import distributions_chapter
from mammography.reports.evidence.chapters.pictures import pictures_chapter
from mammography.reports.evidence.chapters.selective import selective_chapter
from mammography.reports.evidence.chapters.software import software_chapter
from mammography.reports.evidence.chapters.subgroups import subgroups_chapter
from mammography.reports.evidence.chapters.summary import summary_chapter
from mammography.reports.evidence.chapters.threshold import threshold_chapter
from mammography.reports.evidence.markdown import chapters_to_markdown
from mammography.reports.evidence.operating import operating_points
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.page_data import page_data
from mammography.reports.evidence.study import Study, read_study
from mammography.reports.page import render_page, write_page
from mammography.reports.text_tables import write_rows


def write_evidence(paths: Sequence[Path], out: Path, options: EvidenceOptions) -> Path:
    """Write ``evidence.html``, ``evidence.md`` and ``tables/*.csv``.

    Args:
        paths: Dumps of models on the same cases.
        out: Folder to write to.
        options: How dumps become evidence.

    Returns:
        The page.

    Raises:
        ValueError: If a dump cannot be used, or holds other cases than the first.
        FileNotFoundError: If there is no such dump.
    """
    study = read_study(paths, options)
    chapters = make_chapters(study)
    points = {anchor: read for one in chapters for anchor, read in one.points.items()}
    data = page_data(study, list(operating_points(study)), points)
    title = f"{study.task.name}: {', '.join(model.name for model in study.models)}"
    sections = [chapter.section for chapter in chapters]
    page = out / "evidence.html"
    write_page(page, render_page("Evidence", title, sections, "evidence.html.jinja", data=data))
    write_page(out / "evidence.md", chapters_to_markdown(f"Evidence: {title}", chapters))
    for chapter in chapters:
        for name, rows in chapter.tables.items():
            write_rows(out / "tables" / f"{name}.csv", rows)
    return page


def make_chapters(study: Study) -> list[Chapter]:
    """Compute all parts; the last but one says how."""
    areas = estimate_areas(
        study.labels,
        study.patients,
        *(model.scores for model in study.models),
        sampling=study.options.sampling,
    )
    made = [
        summary_chapter(study, areas),
        cohort_chapter(study),
        discrimination_chapter(study, areas, _curves(study)),
        threshold_chapter(study),
        calibration_chapter(study),
        decision_chapter(study),
        distributions_chapter(study),
        selective_chapter(study),
        subgroups_chapter(study),
        comparison_chapter(study, areas),
        pictures_chapter(study),
    ]
    chapters = [chapter for chapter in made if chapter]
    said = tuple(sentence for chapter in chapters for sentence in chapter.methods)
    return [*chapters, Chapter("methods", "Methods", (Listing(said),)), software_chapter(study)]


def _curves(study: Study) -> BootstrappedCurves | None:
    if not study.enough:
        return None
    return bootstrap_curves(
        study.labels,
        [model.scores for model in study.models],
        study.patients,
        repeats=study.options.repeats,
        seed=study.options.seed,
    )
