"""The table as CSV and Markdown, and the page."""

import csv
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from invented_study import invent_rows, write_cell, write_cells
from mammography.reports.domain_study.cells import Cell, Outcome
from mammography.reports.domain_study.page import StudyFacts, write_study_results
from mammography.reports.domain_study.tables import cell_table, comparison_table, measure_table
from mammography.reports.wording import ABSENT

OUTCOME = Outcome(repeats=200)
FACTS = StudyFacts(
    "two hospitals",
    OUTCOME,
    {"plain, near, seed 0": "small.py"},
    {"running": "as trained", "batch": "of each batch"},
    "seeds = [0]\n",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder of a study, and what was measured."""
    folder = tmp_path_factory.mktemp("study")
    return folder, write_study_results(folder, FACTS, write_cells(folder / "cells"))


@pytest.fixture(scope="module")
def page(written):
    return (written[0] / "report.html").read_text(encoding="utf-8")


def text_of(page):
    words = []
    parser = HTMLParser()
    parser.handle_data = words.append
    parser.feed(page)
    return re.sub(r"\s+", " ", " ".join(words))


def test_the_csv_holds_every_number_of_every_cell(written):
    folder, measures = written
    rows = list(csv.DictReader((folder / "table.csv").open()))
    assert len(rows) == len(measures) == 12
    for row, measure in zip(rows, measures, strict=True):
        assert row["statistics"] == measure.cell.statistics
        assert int(row["n"]) == len(measure.cases.labels) == 120
        assert int(row["patients"]) == 60
        assert float(row["roc_auc"]) == measure.values["roc_auc"]
        assert float(row["roc_auc_delong_low"]) == measure.delong[0]
        assert float(row["pr_auc_bootstrap_high"]) == measure.intervals["pr_auc"][1]
        if measure.comparison is None:
            assert (row["p"], row["p_holm"], row["pr_auc_difference"]) == ("", "", "")
        else:
            assert float(row["p"]) == measure.comparison.delong.p_value
            assert float(row["p_holm"]) == measure.comparison.p_holm
            assert float(row["average_precision_difference_bootstrap_low"]) == pytest.approx(
                measure.comparison.intervals["average_precision"][0]
            )


def test_the_layout_is_that_of_publications(written):
    measures = written[1]
    table = measure_table(measures, "roc_auc")
    assert table.header == ("model", "trained on", "statistics", "on near", "on far")
    assert [row[:3] for row in table.rows][:2] == [
        ("plain", "near", "running"),
        ("plain", "near", "batch"),
    ]
    low, high = measures[0].intervals["roc_auc"]
    area = measures[0].values["roc_auc"]
    assert table.rows[0][3] == f"{area:.3f} ({low:.3f} to {high:.3f}) ◆"
    assert "◆" not in table.rows[0][4]


def test_several_seeds_share_a_row_of_their_mean_and_spread(tmp_path):
    cells = [write_cell(tmp_path, invent_rows(60, 1.0, seed), seed=seed) for seed in range(3)]
    cells.append(replace(cells[0], seed=3, predictions=None))
    measures = write_study_results(tmp_path, FACTS, cells)
    areas = [m.values["roc_auc"] for m in measures[:3]]
    mean = sum(areas) / 3
    spread = (sum((area - mean) ** 2 for area in areas) / 2) ** 0.5
    (row,) = measure_table(measures, "roc_auc").rows
    assert row[-1] == f"{mean:.3f} ± {spread:.3f} (3 of 4 seeds) ◆"
    assert cell_table(measures, OUTCOME).header[2] == "seed"
    assert "not an interval" in (tmp_path / "table.md").read_text()


def test_inputs_have_a_column_where_there_are_several(tmp_path):
    rows = invent_rows(60, 1.0)
    cells = [write_cell(tmp_path, rows, input=name) for name in ("zscore", "unit")]
    measures = write_study_results(tmp_path, FACTS, cells)
    table = measure_table(measures, "pr_auc")
    assert table.header[:3] == ("model", "trained on", "input")
    assert [row[2] for row in table.rows] == ["zscore", "unit"]
    assert comparison_table(measures, OUTCOME) is None


def test_images_that_were_seen_without_labels_are_told(tmp_path):
    cell = replace(write_cell(tmp_path, invent_rows(60, 1.0)), adapted_to="far")
    measures = write_study_results(tmp_path, FACTS, [cell])
    assert measure_table(measures, "roc_auc").rows[0][1] == "near, far unlabelled"
    (row,) = csv.DictReader((tmp_path / "table.csv").open())
    assert (row["source"], row["adapted_to"]) == ("near", "far")


def test_the_page_needs_nothing_outside_itself(page):
    assert not re.search(r"https?:|<script|<link|url\((?!#)", page)
    assert "Content-Security-Policy" in page


def test_the_page_says_how_each_number_was_made(page):
    text = text_of(page)
    for what in (
        "They treat cases as independent, which the breasts of one patient are not",
        "200 resamples of patients with replacement",
        "adjusted for the 8 tests of this page together",
        "by trapezoids from (recall 0, precision 1)",
        "below 10 cases of each class",
        "the mean of the scores of its images",
    ):
        assert what in text


def test_every_result_is_in_a_curve_of_its_target(page, written):
    charts = re.findall(
        r'<figure class="chart">\s*<h4>(.*?)</h4>\s*<div [^>]*aria-label="(.*?)"', page
    )
    titles = [title for title, _ in charts]
    assert len(titles) == len(set(titles))
    for kind, area in (("ROC", "roc_auc"), ("Precision and recall", "average_precision")):
        for target in ("near", "far"):
            assert f"{kind}: models, running statistics, on {target}" in titles
            for model in ("plain", "dann"):
                title = f"{kind}: {model}, near, seed 0, on {target}"
                (alt,) = (alt for name, alt in charts if name == title)
                for m in written[1]:
                    if (m.cell.model, m.cell.target) == (model, target):
                        assert f"{m.cell.statistics}: {m.values[area]:.3f}" in alt


def test_markdown_and_page_show_the_same_tables(written, page):
    markdown = (written[0] / "table.md").read_text()
    text = text_of(page)
    for table in (
        *(measure_table(written[1], area) for area in ("roc_auc", "pr_auc", "average_precision")),
        comparison_table(written[1], OUTCOME),
    ):
        for row in table.rows:
            assert "| " + " | ".join(row) + " |" in markdown
            for cell in row:
                assert cell in text
    assert len({line.count("|") for line in markdown.splitlines() if line.startswith("| plain")})


def test_what_is_missing_is_said_first_and_the_cells_stay_in_the_table(tmp_path):
    cells = write_cells(tmp_path, models=("plain",))
    cells[1] = replace(cells[1], predictions=None, complaint="failed: <b>no space</b>")
    write_study_results(tmp_path, FACTS, cells)
    page = (tmp_path / "report.html").read_text()
    assert (
        "1 cell (plain, near, seed 0 on near, batch): failed: &lt;b&gt;no space&lt;/b&gt;." in page
    )
    assert "<b>" not in page
    assert page.index("failed:") < page.index('id="results"')
    (row,) = (
        row
        for row in csv.DictReader((tmp_path / "table.csv").open())
        if (row["target"], row["statistics"]) == ("near", "batch")
    )
    assert (row["roc_auc"], row["note"]) == ("", "failed: <b>no space</b>")
    assert f"| plain | near | batch | {ABSENT} |" in (tmp_path / "table.md").read_text()


def test_a_study_in_which_nothing_is_done_yet_has_a_page(tmp_path):
    cell = Cell("plain", "near", "", 0, "near", "running", complaint="not evaluated yet")
    write_study_results(tmp_path, FACTS, [cell])
    text = text_of((tmp_path / "report.html").read_text())
    assert "0 of 1" in text
    assert "No cell has cases of both classes" in text


def test_the_same_study_gives_the_same_bytes(written, tmp_path):
    folder, measures = written
    write_study_results(tmp_path, FACTS, [m.cell for m in measures])
    for name in ("report.html", "table.md", "table.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
