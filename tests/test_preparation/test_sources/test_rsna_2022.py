"""RSNA 2022 on invented rows with the columns and the oddities of its training table."""

import csv

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.rsna_2022 import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Level, ViewPosition

TASKS = parse_tasks(DEFAULT_TASKS)
ALL = parse_tasks(
    [
        *DEFAULT_TASKS,
        "recall:binary",
        "biopsy:binary",
        "birads:multiclass=0,1,2",
        "difficult_negative:binary",
        "age_years:regression",
    ]
)


def row(patient, image, side="L", view="CC", **cells):
    """Return a row as pandas wrote it for the challenge: 61.0 beside empty cells."""
    return {
        "site_id": "2",
        "patient_id": str(patient),
        "image_id": str(image),
        "laterality": side,
        "view": view,
        "age": "61.0",
        "cancer": "0",
        "biopsy": "0",
        "invasive": "0",
        "BIRADS": "",
        "implant": "0",
        "density": "",
        "machine_id": "29",
        "difficult_negative_case": "False",
    } | {name: str(value) for name, value in cells.items()}


def write(folder, *rows, name="train.csv"):
    folder.mkdir(exist_ok=True)
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder


def only(root, **options):
    (record,) = read_records(root, ALL, **options)
    return record


def test_a_row_becomes_a_record(tmp_path):
    record = only(write(tmp_path, row(10006, 462822612, "R", "MLO")))
    assert record.img_path == "train_images/10006/462822612.dcm"
    assert (record.patient_id, record.exam_id) == ("10006", "10006")
    assert (record.laterality, record.view_position) == (Laterality.RIGHT, ViewPosition.MLO)
    assert (record.split, record.manufacturer, record.findings) == (None, None, ())
    assert record.gt_label == {
        "malignant": 0.0, "biopsy": 0.0, "difficult_negative": 0.0, "age_years": 61.0,
    }  # fmt: skip
    assert record.clinic_vars == {
        "site_id": "2", "machine_id": "29", "implant": 0, "age_years": 61,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        ({"cancer": 1, "biopsy": 1, "invasive": 1}, {"malignant": 1, "biopsy": 1, "invasive": 1}),
        ({"cancer": 1, "biopsy": 1}, {"malignant": 1, "biopsy": 1, "invasive": 0}),
        ({"biopsy": 1}, {"malignant": 0, "biopsy": 1, "invasive": None}),
        ({"BIRADS": "0.0"}, {"birads": 0, "recall": 1}),
        ({"BIRADS": "1.0"}, {"birads": 1, "recall": 0}),
        ({"BIRADS": "2"}, {"birads": 2, "recall": 0}),
        ({"BIRADS": "NaN"}, {"birads": None, "recall": None}),
        ({"density": "D"}, {"density": 3}),
        ({"density": ""}, {"density": None}),
        ({"age": ""}, {"age_years": None}),
        ({"difficult_negative_case": "True"}, {"difficult_negative": 1}),
        ({"difficult_negative_case": "1", "cancer": "1.0"}, {"malignant": 1}),
    ],
)
def test_labels_are_those_of_the_row_and_an_empty_cell_is_none(tmp_path, cells, labels):
    record = only(write(tmp_path, row(1, 2, **cells)))
    assert {name: record.gt_label.get(name) for name in labels} == labels
    assert ("age_years" in record.clinic_vars) == (cells.get("age") != "")


@pytest.mark.parametrize("view", ["CC", "MLO", "ML", "LM", "LMO"])
def test_every_view_of_ours_is_kept(tmp_path, view):
    assert only(write(tmp_path, row(1, 2, view=view))).view_position == ViewPosition(view)


def test_the_axillary_tail_is_an_image_without_a_view(tmp_path):
    root = write(tmp_path, row(1, 2, view="AT"), row(1, 3))
    records = list(read_records(root, TASKS))
    assert [record.view_position for record in records] == [None, ViewPosition.CC]
    counts = count_source("rsna_2022", root).counts
    assert (counts["refused_rows"], counts["images_by"]["view"]) == (0, {"AT": 1, "CC": 1})


@pytest.mark.parametrize(
    ("options", "left_out"),
    [
        ({"views": "CC,MLO"}, {"views": ["3"]}),
        ({"sites": "1"}, {"sites": ["4"]}),
        ({"implants": "false"}, {"implants": ["2"]}),
        ({"views": "CC", "implants": "false"}, {"views": ["3"], "implants": ["2"]}),
    ],
)
def test_images_left_out_by_an_option_are_counted(tmp_path, caplog, options, left_out):
    root = write(
        tmp_path,
        row(1, 1, site_id=1),
        row(1, 2, "R", site_id=1, implant=1),
        row(2, 3, view="AT", site_id=1),
        row(3, 4, site_id=2),
    )
    found = count_source("rsna_2022", root, DatasetOptions(source_options=options)).counts
    assert found["left_out"] == {why: len(images) for why, images in left_out.items()}
    assert found["images"] == 4 - sum(map(len, left_out.values()))
    assert sum(found["images_by"]["site_id"].values()) == 4
    typed = {
        name: value == "true" if name == "implants" else tuple(value.split(","))
        for name, value in options.items()
    }
    kept = {r.img_path.split("/")[2][:-4] for r in read_records(root, TASKS, **typed)}
    assert kept == {"1", "2", "3", "4"} - {i for images in left_out.values() for i in images}
    for why, images in left_out.items():
        assert f"images left out by {why}: {len(images)}" in caplog.text


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"patient_id": "../1"}, "patient_id must be a whole number, got '../1'"),
        ({"image_id": "4.6E+08"}, "image_id must have all its digits, of which a spreadsheet"),
        ({"image_id": "2"}, "image_id must differ from that of row 2, got '2'"),
        ({"site_id": "3"}, "site_id must be one of 1, 2, got '3'"),
        ({"laterality": "both"}, "laterality must be one of L, R"),
        ({"view": "RMLO"}, "view must be one of CC, MLO, ML, LM, LMO, XCCL"),
        ({"age": "61.5"}, "age must be a whole number from 0 to 120"),
        ({"cancer": ""}, "cancer must not be empty"),
        ({"cancer": "yes"}, "cancer must be one of 0, 1, False, True, got 'yes'"),
        ({"cancer": "1"}, "cancer must be that of row 2, of the same breast, got 1"),
        ({"invasive": "1"}, "invasive must be 0 where cancer is 0, got 1"),
        ({"BIRADS": "4"}, "BIRADS must be a whole number from 0 to 2, got '4'"),
        ({"density": "E"}, "density must be one of A, B, C, D"),
        ({"density": "AB"}, "density must be one of A, B, C, D, got 'AB'"),
        ({"implant": "left"}, "implant must be one of 0, 1, False, True"),
        ({"machine_id": "GE"}, "machine_id must be a whole number, got 'GE'"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, cells, message):
    root = write(tmp_path, row(1, 2), row(1, 3) | cells)
    with pytest.raises(TableError) as error:
        list(read_records(root, TASKS))
    assert f"train.csv: 1 bad cells\n  row 3: {message}" in str(error.value)
    found = count_source("rsna_2022", root)
    assert (found.exit_code, found.counts["rows"], found.counts["images"]) == (1, 2, 1)


def test_the_dry_run_tells_what_may_give_the_site_away_and_where_images_of_a_breast_differ(
    tmp_path,
):
    root = write(
        tmp_path,
        row(1, 1, site_id=1, density="B", BIRADS="1.0"),
        row(1, 2, view="MLO", site_id=1, density="B", biopsy=1),
        row(2, 3, BIRADS="0.0"),
    )
    counts = count_source("rsna_2022", root).counts
    assert counts["known_by_site"]["1"]["density"] == 2
    assert "density" not in counts["known_by_site"]["2"]
    assert counts["breasts_whose_images_differ_in"] == {
        "biopsy": 1, "birads": 1, "density": 0, "difficult_negative": 0,
    }  # fmt: skip


def test_the_table_of_the_test_part_has_no_labels_and_is_no_source(tmp_path):
    labels = ("cancer", "biopsy", "invasive", "BIRADS", "density", "difficult_negative_case")
    cells = {k: v for k, v in row(1, 2).items() if k not in labels} | {"prediction_id": "1_L"}
    root = write(tmp_path, cells, name="test.csv")
    with pytest.raises(TableError, match="columns must have cancer, biopsy, invasive"):
        list(read_records(root, TASKS, table="test.csv", images="test_images"))
    with pytest.raises(TableError, match=r"must hold one table train, .*table=FILE"):
        read_contents(root, TASKS)


def test_wrong_options_and_tasks_are_errors(tmp_path):
    root = write(tmp_path, row(1, 2))
    for options, message in (
        ({"views": ("cc",)}, "views must be some of CC, MLO, .*, AT, got cc"),
        ({"sites": ("A",)}, "sites must be some of 1, 2, got A"),
    ):
        with pytest.raises(ValueError, match=message):
            list(read_records(root, TASKS, **options))
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .*, got cancer"):
        read_contents(root, parse_tasks(["cancer:binary"]))


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("train_images", "1/2.png"),
        ("exports/png", "1/2.png"),
        ("exports", "1_2.png"),
        (".", "1/2.dcm"),
    ],
)
def test_images_are_found_as_published_and_as_converted(tmp_path, name, layout):
    root = write(tmp_path, row(1, 2))
    file = root / name / layout
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"any")
    assert only(root, images=name).img_path == file.relative_to(root).as_posix()
    published = root / name / "1" / "2.dcm"
    published.parent.mkdir(exist_ok=True)
    published.write_bytes(b"any")
    assert only(root, images=name).img_path == published.relative_to(root).as_posix()


def test_the_source_is_prepared_and_absent_images_are_rejected(tmp_path):
    rows = [
        row(10006, 11, "L", "CC", cancer=1, biopsy=1, invasive=1, site_id=1, density="C"),
        row(10006, 12, "L", "AT", cancer=1, biopsy=1, invasive=1, site_id=1, density="C"),
        row(10006, 13, "R", "CC", site_id=1, density="C"),
        row(10011, 14, "R", "MLO", difficult_negative_case="True", BIRADS="0.0"),
        row(10012, 15, "L", "MLO"),
    ]
    root = write(tmp_path / "source", *rows)
    for cells in rows[:3]:
        folder = root / "train_images" / cells["patient_id"]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = draw_breast()
        pixels = pixels if cells["laterality"] == "L" else np.ascontiguousarray(pixels[:, ::-1])
        inverted = 65535 - pixels  # Some machines store white as 0.
        write_dicom(
            folder / f"{cells['image_id']}.dcm",
            inverted if cells["view"] == "AT" else pixels,
            PhotometricInterpretation="MONOCHROME1" if cells["view"] == "AT" else "MONOCHROME2",
        )
    (root / "train_images" / "10011").mkdir()
    cv2.imwrite(str(root / "train_images" / "10011" / "14.png"), draw_breast())
    found = count_source("rsna_2022", root)
    counts = found.counts
    assert (found.exit_code, counts["level"], counts["splits_are"]) == (0, Level.BREAST, "drawn")
    assert [counts[name] for name in ("rows", "images", "breasts", "patients")] == [5, 5, 4, 3]
    assert counts["labels"]["malignant"] == {"0": 3, "1": 2, "missing": 0}
    assert counts["labels_by_breast"]["malignant"] == {"0": 3, "1": 1, "missing": 0}
    assert counts["labels_by_breast"]["invasive"] == {"0": 0, "1": 1, "missing": 3}
    out = tmp_path / "out"
    summary = prepare_dataset("rsna_2022", out, root)
    assert summary.rejected == {"train_images/10012/15.dcm": "file does not exist"}
    prepared = read_annotations(out / "annotations" / "all.json")
    assert (prepared.level, len(prepared.records)) == (Level.BREAST, 4)
    assert sorted(str(record.view_position) for record in prepared.records) == [
        "CC", "CC", "MLO", "None",
    ]  # fmt: skip
    tail, other = (
        next(r for r in prepared.records if r.laterality == "L" and r.view_position == view)
        for view in (None, ViewPosition.CC)
    )
    images = [cv2.imread(str(out / r.img_path), cv2.IMREAD_UNCHANGED) for r in (tail, other)]
    assert images[0].shape == images[1].shape
    # MONOCHROME1 comes out as its twin does: bright where dense on a background of 0.
    assert np.abs(images[0].astype(int) - images[1].astype(int)).max() < 300
    assert '"10006"' not in (out / "annotations" / "all.json").read_text()
