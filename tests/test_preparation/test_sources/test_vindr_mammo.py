"""VinDr-Mammo on invented rows with the columns and the oddities of its tables."""

import csv
import json
from hashlib import md5

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast, write_dicom
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.vindr_mammo import (
    DEFAULT_TASKS,
    read_contents,
    read_records,
)
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Level, Split, ViewPosition

TASKS = parse_tasks(DEFAULT_TASKS)
FINDINGS = parse_tasks(["mass:binary", "skin_retraction:binary", "suspicious_lymph_node:binary"])
BREASTS, BOXES, METADATA = "breast-level_annotations", "finding_annotations", "metadata"
VIEWS = [("L", "CC"), ("L", "MLO"), ("R", "CC"), ("R", "MLO")]
ENDS = ("xmin", "ymin", "xmax", "ymax")
HEIGHT, WIDTH = 300, 200


def name_of(text):
    return md5(text.encode(), usedforsecurity=False).hexdigest()


def image(exam, side="L", view="CC", **cells):
    """Return a row of the breast-level table."""
    return {
        "study_id": name_of(exam),
        "series_id": name_of(f"series of {exam}"),
        "image_id": name_of(f"{exam} {side} {view}"),
        "laterality": side,
        "view_position": view,
        "height": str(HEIGHT),
        "width": str(WIDTH),
        "breast_birads": "BI-RADS 1",
        "breast_density": "DENSITY C",
        "split": "training",
    } | cells


def finding(row, categories="['No Finding']", box=("", "", "", ""), birads="", **cells):
    """Return the row of the table of findings for an image."""
    ends = dict(zip(ENDS, box, strict=True))
    return row | {"finding_categories": categories, "finding_birads": birads} | ends | cells


def exam(name, left="BI-RADS 1", right="BI-RADS 1", **cells):
    grades = {"L": left, "R": right}
    return [image(name, s, v, **({"breast_birads": grades[s]} | cells)) for s, v in VIEWS]


def write(folder, images, findings=None, metadata=None):
    """Write the tables; an image without a finding gets its row that says so."""
    folder.mkdir(exist_ok=True)
    findings = [finding(row) for row in images] if findings is None else findings
    named = {row["image_id"] for row in findings}
    findings = findings + [finding(row) for row in images if row["image_id"] not in named]
    for stem, rows in ((BREASTS, images), (BOXES, findings), (METADATA, metadata)):
        if rows:
            with (folder / f"{stem}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, list(rows[0]))
                writer.writeheader()
                writer.writerows(rows)
    return folder


def records_of(root, tasks=TASKS, **options):
    """Records by exam, side and view."""
    names = {name_of(text): text for text in map(str, range(200))}
    return {
        (names[r.patient_id], r.laterality, r.view_position): r
        for r in read_records(root, tasks, **options)
    }


def test_a_row_becomes_a_record_with_the_labels_of_its_breast(tmp_path):
    row = image("1", breast_birads="BI-RADS 4", breast_density="DENSITY B", split="test")
    (record,) = read_records(write(tmp_path, [row]), TASKS)
    assert record.img_path == f"images/{row['study_id']}/{row['image_id']}.dicom"
    assert (record.patient_id, record.exam_id) == (row["study_id"], row["study_id"])
    assert (record.laterality, record.view_position) == (Laterality.LEFT, ViewPosition.CC)
    assert (record.split, record.findings, record.clinic_vars) == (Split.TEST, (), {})
    assert record.gt_label == {"suspicious": 1.0, "birads": 3.0, "density": 1.0}


def test_a_box_of_several_categories_is_a_finding_of_each_without_pathology(tmp_path):
    row = image("1", breast_birads="BI-RADS 5")
    boxes = [
        finding(row, "['Mass', 'Skin Retraction']", ("10.5", "20", "50", "60.25"), "BI-RADS 5"),
        finding(row, '["Suspicious Lymph Node"]', ("90", "5", "120", "40")),
    ]
    (record,) = read_records(write(tmp_path, [row], boxes), TASKS)
    assert [(f.label, f.box) for f in record.findings] == [
        ("mass", (10.5, 20.0, 50.0, 60.25)),
        ("skin_retraction", (10.5, 20.0, 50.0, 60.25)),
        ("suspicious_lymph_node", (90.0, 5.0, 120.0, 40.0)),
    ]
    assert {f.malignant for f in record.findings} == {None}


def test_a_finding_seen_on_one_view_labels_the_breast_but_lies_on_that_view_alone(tmp_path):
    rows = exam("1", right="BI-RADS 4")
    box = finding(rows[3], "['Mass']", ("10", "20", "50", "60"), "BI-RADS 4")
    records = records_of(write(tmp_path, rows, [box]), FINDINGS)
    masses = {place[1:]: record.gt_label["mass"] for place, record in records.items()}
    assert masses == {("L", "CC"): 0, ("L", "MLO"): 0, ("R", "CC"): 1, ("R", "MLO"): 1}
    assert [len(record.findings) for record in records.values()] == [0, 0, 0, 1]
    assert {record.gt_label["skin_retraction"] for record in records.values()} == {0.0}
    without = records_of(tmp_path, FINDINGS, boxes=False)
    assert {len(record.findings) for record in without.values()} == {0}
    assert {place[1:]: r.gt_label["mass"] for place, r in without.items()} == masses


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({}, [0, 0, 0, 1, 1]),
        ({"suspicious_from": 3}, [0, 0, 1, 1, 1]),
        ({"suspicious_without": ("3",)}, [0, 0, None, 1, 1]),
        ({"suspicious_from": 5, "suspicious_without": ("3", "4")}, [0, 0, None, None, 1]),
    ],
)
def test_options_say_which_breasts_are_suspicious_and_which_are_neither(tmp_path, options, labels):
    rows = [image(str(grade), breast_birads=f"BI-RADS {grade}") for grade in range(1, 6)]
    found = records_of(write(tmp_path, rows), TASKS, **options)
    assert [record.gt_label.get("suspicious") for record in found.values()] == labels
    assert [record.gt_label["birads"] for record in found.values()] == [0, 1, 2, 3, 4]


def test_a_box_beyond_the_border_is_cut_and_told(tmp_path, caplog):
    row = image("1", breast_birads="BI-RADS 3")
    boxes = [
        finding(row, "['Mass']", ("-3.5", "20", "50", "60"), "BI-RADS 3"),
        finding(row, "['Asymmetry']", ("150", "250", "201", "305.2"), "BI-RADS 3"),
        finding(row, "['Mass']", ("0", "0", "200", "300"), "BI-RADS 3"),
    ]
    root = write(tmp_path, [row], boxes)
    (record,) = read_records(root, TASKS)
    assert [f.box for f in record.findings] == [
        (0, 20, 50, 60), (150, 250, WIDTH, HEIGHT), (0, 0, WIDTH, HEIGHT),
    ]  # fmt: skip
    assert "boxes cut at the border of their image: 2" in caplog.text
    assert count_source("vindr_mammo", root).counts["boxes_cut_at_the_border"] == 2


def test_the_official_split_is_kept_or_drawn_anew(tmp_path):
    rows = [*exam("1"), *exam("2", split="test")]
    root = write(tmp_path, rows)
    assert {p[0]: r.split for p, r in records_of(root).items()} == {"1": "train", "2": "test"}
    assert {r.split for r in records_of(root, official_split=False).values()} == {None}


def test_a_validation_part_comes_from_the_training_part_alone_by_exam_and_grade(tmp_path):
    rows = [
        row
        for number in range(60)
        for row in exam(
            str(number),
            left="BI-RADS 5" if number % 3 == 0 else "BI-RADS 1",
            split="test" if number >= 40 else "training",
        )
    ]
    root = write(tmp_path, rows)
    found = records_of(root, validation=0.25)
    parts = {}
    for (number, *_), record in found.items():
        parts.setdefault(number, set()).add(record.split)
    assert all(len(splits) == 1 for splits in parts.values())
    held_out = [number for number, splits in parts.items() if splits == {"val"}]
    assert len(held_out) == 10
    assert 3 <= sum(int(number) % 3 == 0 for number in held_out) <= 4
    assert {number for number, splits in parts.items() if splits == {"test"}} == {
        str(number) for number in range(40, 60)
    }
    write(tmp_path, rows[::-1])
    again = records_of(root, FINDINGS, validation=0.25)
    assert {p: r.split for p, r in again.items()} == {p: r.split for p, r in found.items()}
    counts = count_source(
        "vindr_mammo", root, DatasetOptions(source_options={"validation": "0.25"})
    ).counts
    assert {split: part["patients"] for split, part in counts["splits"].items()} == {
        "train": 30, "val": 10, "test": 20,
    }  # fmt: skip
    assert counts["splits_are"] == "of the source"


@pytest.mark.parametrize("age_column", ["Patient's Age", "Patient\u2019s Age"])
def test_metadata_tell_maker_and_age_where_they_are_there(tmp_path, age_column):
    rows = exam("1")
    metadata = [
        {"SOP Instance UID": rows[0]["image_id"], "Manufacturer": "SIEMENS", age_column: "053Y"},
        {"SOP Instance UID": rows[1]["image_id"], "Manufacturer": "IMS s.r.l.", age_column: ""},
    ]
    root = write(tmp_path, rows, metadata=metadata)
    found = [(r.manufacturer, r.clinic_vars) for r in records_of(root).values()]
    assert found == [("SIEMENS", {"age_years": 53}), ("IMS s.r.l.", {}), (None, {}), (None, {})]
    assert count_source("vindr_mammo", root).counts["images_without_metadata"] == 2
    assert {r.manufacturer for r in records_of(root, metadata="none").values()} == {None}
    with pytest.raises(TableError, match=r"must hold one table headers\.csv"):
        records_of(root, metadata="headers.csv")


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"image_id": "1"}, "image_id must be 32 hex digits, got '1'"),
        ({"study_id": "../../etc"}, "study_id must be 32 hex digits"),
        ({"laterality": "B"}, "laterality must be one of L, R"),
        ({"view_position": "AT"}, "view_position must be one of CC, MLO"),
        ({"height": "0"}, "height must be a whole number from 1 to 32767"),
        ({"width": ""}, "width must not be empty"),
        ({"breast_birads": "BI-RADS 0"}, "breast_birads must be one of BI-RADS 1, BI-RADS 2"),
        ({"breast_density": "C"}, "breast_density must be one of DENSITY A, DENSITY B"),
        ({"split": "holdout"}, "split must be one of train, val, test"),
        ({"view_position": "CC", "image_id": name_of("1 L CC")}, "image_id must differ from that"),
        ({"split": "test"}, "split must be that of row 2, of the same exam, got 'test'"),
        ({"breast_birads": "BI-RADS 2"}, "breast_birads must be that of row 2, of the same breast"),
        ({"breast_density": "DENSITY A"}, "breast_density must be that of row 2, of the same br"),
    ],
)
def test_a_bad_row_of_the_breast_table_is_refused_by_its_number(tmp_path, cells, message):
    rows = [image("1"), image("1", "L", "MLO") | cells]
    good = [finding(row) for row in (image("1"), image("1", "L", "MLO"))]
    root = write(tmp_path, rows, good)
    with pytest.raises(TableError) as error:
        list(read_records(root, TASKS))
    assert f"{BREASTS}.csv: 1 bad cells\n  row 3: {message}" in str(error.value)
    assert count_source("vindr_mammo", root).counts["images"] == 1


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"finding_categories": ""}, "finding_categories must not be empty"),
        ({"finding_categories": "Mass"}, "finding_categories must be ['No Finding'] or a list of"),
        ({"finding_categories": "['Cyst']"}, "finding_categories must be ['No Finding'] or a list"),
        ({"finding_categories": "['Mass', 'Mass']"}, "finding_categories must be ['No Finding']"),
        ({"finding_categories": "[]"}, "finding_categories must be ['No Finding'] or"),
        ({"finding_categories": "['Mass', 'No Finding']"}, "finding_categories must be ['No Find"),
        ({"finding_categories": "[__import__('os')]"}, "finding_categories must be ['No Finding'"),
        ({"finding_categories": "['No Finding']"}, "finding_categories must agree with row 2, of"),
        ({"finding_birads": "4"}, "finding_birads must be one of BI-RADS 1"),
        ({"xmin": ""}, "xmin must not be empty"),
        ({"xmin": "left"}, "xmin must be a number of pixels, got 'left'"),
        ({"ymax": "inf"}, "ymax must be a number of pixels"),
        ({"xmin": "50"}, "xmax must be above 50, got '50'"),
        ({"ymin": "70"}, "ymax must be above 70, got '60'"),
        ({"xmin": "200", "xmax": "240"}, "xmin must lie on the image of 300 x 200 pixels"),
        ({"ymin": "-9", "ymax": "0"}, "xmin must lie on the image of 300 x 200 pixels"),
        ({"laterality": "R"}, f"laterality must be that of {BREASTS}.csv, row 2, got 'R'"),
        ({"view_position": "MLO"}, f"view_position must be that of {BREASTS}.csv, row 2"),
        ({"height": "3518"}, f"height must be that of {BREASTS}.csv, row 2, got '3518'"),
        ({"breast_birads": "BI-RADS 5"}, f"breast_birads must be that of {BREASTS}.csv, row 2"),
        ({"breast_density": "DENSITY D"}, f"breast_density must be that of {BREASTS}.csv, row 2"),
        ({"split": "test"}, f"split must be that of {BREASTS}.csv, row 2, got 'test'"),
        ({"study_id": name_of("2")}, f"study_id must be that of {BREASTS}.csv, row 2"),
        ({"image_id": name_of("2")}, f"image_id must be an image of {BREASTS}.csv"),
    ],
)
def test_a_bad_row_of_the_findings_is_refused_by_its_number(tmp_path, cells, message):
    row = image("1", breast_birads="BI-RADS 4")
    good = finding(row, "['Mass']", ("10", "20", "50", "60"), "BI-RADS 4")
    root = write(tmp_path, [row], [good, good | cells])
    with pytest.raises(TableError) as error:
        list(read_records(root, TASKS))
    assert f"{BOXES}.csv: " in str(error.value)
    assert f"\n  row 3: {message}" in str(error.value)
    found = count_source("vindr_mammo", root)
    assert (found.exit_code, found.counts["rows"], found.counts["refused_rows"]) == (1, 3, 1)
    assert found.counts["boxes"] == 1


def test_no_finding_has_no_box_and_stands_alone(tmp_path):
    row = image("1")
    root = write(tmp_path, [row], [finding(row, xmin="3"), finding(row)])
    refused = count_source("vindr_mammo", root).counts["refused"]
    assert refused == [
        f"{BOXES}.csv: row 2: xmin must be empty where there is No Finding, got '3'",
        f"{BOXES}.csv: row 3: finding_categories must agree with row 2, of the same image: "
        "No Finding stands alone, got \"['No Finding']\"",
    ]


def test_an_image_of_the_breast_table_without_a_row_of_findings_is_refused(tmp_path):
    rows = exam("1")
    root = write(tmp_path, rows)
    write(tmp_path / "short", rows[:-1])
    options = {"finding_table": f"short/{BOXES}.csv"}
    with pytest.raises(TableError) as error:
        list(read_records(root, TASKS, **options))
    wanted = f"row 5: image_id must be an image of {BOXES}.csv, got '{rows[-1]['image_id']}'"
    assert f"{BREASTS}.csv: 1 bad cells\n  {wanted}" in str(error.value)
    found = count_source("vindr_mammo", root, DatasetOptions(source_options=options))
    assert (found.exit_code, found.counts["images"]) == (1, 3)
    assert found.counts["exams_without_four_images"] == 1


def test_an_image_whose_row_is_refused_is_not_refused_twice(tmp_path):
    rows = [image("1", laterality="B"), image("1", "R")]
    good = [finding(image("1")), finding(rows[1])]
    counts = count_source("vindr_mammo", write(tmp_path, rows, good)).counts
    assert (counts["refused_rows"], counts["images"]) == (1, 1)


def test_absent_tables_and_columns_and_wrong_choices_are_errors(tmp_path):
    with pytest.raises(TableError, match=r"one table breast-level_ann.*breast_table=FILE"):
        read_contents(tmp_path, TASKS)
    row = image("1")
    root = write(tmp_path, [row], [{k: v for k, v in finding(row).items() if k != "ymax"}])
    with pytest.raises(TableError, match="columns must have ymax"):
        read_contents(root, TASKS)
    for options, message in (
        ({"suspicious_from": 1}, "suspicious_from must be 2, 3, 4 or 5, got 1"),
        ({"suspicious_without": ("0",)}, r"suspicious_without must be some of 1, 2, 3, 4, 5, got"),
        ({"validation": 1.0}, r"validation must be at least 0 and below 1, got 1\.0"),
        ({"validation": 0.1, "official_split": False}, "validation must be 0 where official_split"),
    ):
        with pytest.raises(ValueError, match=message):
            list(read_records(root, TASKS, **options))
    with pytest.raises(ValueError, match=r"tasks must be some of suspicious, .*, got malignant"):
        read_contents(root, parse_tasks(["malignant:binary"]))


def place(root, row, layout="images/{study}/{image}.dicom"):
    file = root / layout.format(study=row["study_id"], image=row["image_id"])
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def test_a_dry_run_tells_the_counts_of_the_preparation_and_boxes_follow_the_crop(tmp_path):
    rows = [*exam("1", left="BI-RADS 4"), *exam("2", split="test")]
    boxes = [
        finding(rows[0], "['Mass', 'Skin Thickening']", ("20", "120", "60", "180"), "BI-RADS 4"),
        finding(rows[1], "['Suspicious Calcification']", ("30", "100", "50", "130"), "BI-RADS 4"),
    ]
    root = write(tmp_path / "source", rows, boxes)
    for row in rows[:-1]:
        pixels = draw_breast((HEIGHT, WIDTH))
        pixels = pixels if row["laterality"] == "L" else np.ascontiguousarray(pixels[:, ::-1])
        write_dicom(place(root, row), pixels, ViewPosition=row["view_position"])
    specs = [*DEFAULT_TASKS, "mass:binary"]
    found = count_source("vindr_mammo", root, DatasetOptions(tasks=specs))
    counts = found.counts
    assert (found.exit_code, counts["level"], counts["rows"]) == (0, Level.BREAST, 16)
    assert counts["rows_by_table"] == {f"{BREASTS}.csv": 8, f"{BOXES}.csv": 8, METADATA: 0}
    assert [counts[name] for name in ("images", "breasts", "exams", "patients")] == [8, 4, 2, 2]
    assert counts["labels_by_breast"]["suspicious"] == {"0": 3, "1": 1, "missing": 0}
    assert counts["labels"]["mass"] == {"0": 6, "1": 2, "missing": 0}
    assert (counts["boxes"], counts["images_with_boxes"]) == (2, 2)
    assert counts["findings_by_birads"]["skin_thickening"] == {"4": 1}
    out = tmp_path / "out"
    summary = prepare_dataset("vindr_mammo", out, root, DatasetOptions(tasks=specs))
    assert list(summary.rejected.values()) == ["file does not exist"]
    assert summary.counts["findings"] == 3
    assert summary.counts["findings_cut"] == 0
    train = read_annotations(out / "annotations" / "train.json")
    assert (train.level, len(train.records)) == (Level.BREAST, 4)
    (marked,) = [r for r in train.records if len(r.findings) == 2]
    assert marked.findings[0].box == marked.geometry.to_prepared((20, 120, 60, 180))
    text = (out / "annotations" / "all.json").read_text()
    assert not any(row[name] in text for row in rows for name in ("study_id", "image_id"))
    assert json.loads((out / "prepared.json").read_text())["splits"] == "of the source"


@pytest.mark.parametrize("layout", ["png/{study}/{image}.png", "png/{study}_{image}.png"])
def test_converted_images_are_found_and_boxes_need_their_full_size(tmp_path, layout):
    row = image("1", breast_birads="BI-RADS 4")
    root = write(tmp_path, [row], [finding(row, "['Mass']", ("10", "20", "50", "60"))])
    file = place(root, row, layout)
    cv2.imwrite(str(file), draw_breast((HEIGHT, WIDTH)))
    (record,) = read_records(root, TASKS, images="png")
    assert record.img_path == file.relative_to(root).as_posix()
    cv2.imwrite(str(file), draw_breast((HEIGHT // 2, WIDTH // 2)))
    with pytest.raises(ValueError, match=r"must have 300 x 200 pixels .*, got 150 x 100.*boxes=f"):
        list(read_records(root, TASKS, images="png"))
    (record,) = read_records(root, TASKS, images="png", boxes=False)
    assert record.findings == ()
    file.write_bytes(b"\x89PNG damaged")
    assert len(list(read_records(root, TASKS, images="png"))) == 1
