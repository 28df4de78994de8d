import csv
import json
import logging
from dataclasses import replace

import pytest
from openpyxl import Workbook

from mammography.preparation.converters import find_converter
from mammography.preparation.tables import TableError
from mammography.structures.annotation import Finding
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Split, TaskKind, ViewPosition

ROWS = [
    {
        "dicom_path": "a/1.dcm",
        "patient_id": "007",
        "exam_id": "1",
        "laterality": "Left",
        "view": "mlo",
        "manufacturer": "HOLOGIC",
        "split": "training",
        "malignant": 1,
        "density": "C",
        "size_mm": 12.5,
        "age": 54,
        "name": "Doe^Jane",
    },
    {
        "dicom_path": "a/2.dcm",
        "patient_id": "8",
        "exam_id": "1",
        "laterality": "R",
        "split": "test",
    },
]
TASKS = parse_tasks(["malignant:binary", "density:ordinal=A,B,C,D", "size_mm:regression"])


def read(root, tasks=TASKS, **options):
    converter = find_converter("table")
    tasks = tasks or converter.find_tasks((), root, options)
    return list(converter.read_records(root, tasks, options))


def write_csv(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_xlsx(path, rows):
    book = Workbook()
    book.active.append(list(rows[0]))
    for row in rows:
        book.active.append([row.get(column) for column in rows[0]])
    book.save(path)
    return path


def write_json(path, content):
    path.write_text(json.dumps(content))
    return path


def test_a_row_becomes_a_record(tmp_path):
    first, second = read(write_csv(tmp_path / "t.csv", ROWS), clinical="age")
    assert first.img_path == "a/1.dcm"
    assert (first.patient_id, first.exam_id) == ("007", "1")
    assert (first.laterality, first.view_position) == (Laterality.LEFT, ViewPosition.MLO)
    assert (first.manufacturer, first.split) == ("HOLOGIC", Split.TRAIN)
    assert first.gt_label == {"malignant": 1.0, "density": 2.0, "size_mm": 12.5}
    assert first.clinic_vars == {"age": 54}
    assert (second.view_position, second.gt_label, second.clinic_vars) == (None, {}, {})


def test_csv_workbook_and_json_give_the_same_records(tmp_path):
    writers = {"t.csv": write_csv, "t.xlsx": write_xlsx, "t.json": write_json}
    csv_rows, xlsx_rows, json_rows = (
        read(write(tmp_path / name, ROWS), clinical="age") for name, write in writers.items()
    )
    assert csv_rows == xlsx_rows == json_rows


def test_the_folder_of_the_table_is_as_good_as_the_table(tmp_path):
    path = write_csv(tmp_path / "t.csv", ROWS)
    assert read(tmp_path) == read(path)
    write_csv(tmp_path / "u.csv", ROWS[:1])
    with pytest.raises(
        TableError, match=r"must hold one table .*, got t.csv, u.csv: name one with"
    ):
        read(tmp_path)
    assert len(read(tmp_path, table="u.csv")) == 1


def test_only_chosen_columns_are_clinical_and_the_others_are_named(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        records = read(write_csv(tmp_path / "t.csv", ROWS))
    assert records[0].clinic_vars == {}
    assert "left out, since a column may identify people: age, name" in caplog.text


def test_a_clinical_column_with_names_or_dates_is_refused(tmp_path):
    path = write_csv(tmp_path / "t.csv", ROWS)
    with pytest.raises(TableError, match="row 2: name must be a number or a word"):
        read(path, clinical="age,name")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"patient_id": ""}, "row 3: patient_id must name a patient, got ''"),
        (
            {"dicom_path": "a/1.dcm"},
            "row 3: dicom_path must differ from that of row 2, got 'a/1.dcm'",
        ),
        ({"dicom_path": "../1.dcm"}, r"row 3: dicom_path must stay below the root, without '\.\.'"),
        ({"dicom_path": ""}, "row 3: dicom_path must be a path, got ''"),
        ({"laterality": "X"}, "row 3: laterality must be one of L, R, got 'X'"),
        ({"view": "top"}, "row 3: view must be one of CC, MLO"),
        ({"split": "fold"}, "row 3: split must be one of train, val, test, got 'fold'"),
        ({"malignant": "2"}, "row 3: task malignant: must be one of 0, 1, got '2'"),
        ({"density": "E"}, "row 3: task density: must be one of A, B, C, D, got 'E'"),
        ({"size_mm": "12,5"}, "row 3: task size_mm: must be a finite number, got '12,5'"),
    ],
)
def test_a_bad_cell_is_refused_by_row_column_rule_and_value(tmp_path, change, message):
    path = write_csv(tmp_path / "t.csv", [ROWS[0], ROWS[1] | change])
    with pytest.raises(TableError, match=message):
        read(path)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (
            [{"dicom_path": "a"}],
            {},
            "columns must have patient_id, malignant, density, size_mm, got",
        ),
        ([{"scan": "a"}], {}, "columns must have one of img_path, path, file"),
        ([{"path": "a", "file": "b"}], {}, "got path, file: name the column of the paths with"),
        ([{"path": "a"}], {"path_column": "scan"}, "columns must have one of scan, got path"),
        ([{"path": "a", "view": "CC", "view_position": "CC"}], {}, "got both"),
        ([ROWS[0]], {"clinical": "weight"}, "columns must have weight"),
    ],
)
def test_a_table_with_other_columns_is_refused(tmp_path, rows, options, message):
    with pytest.raises(TableError, match=message):
        read(write_csv(tmp_path / "t.csv", rows), **options)


def test_an_empty_table_and_an_absent_one_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text(",".join(ROWS[0]) + "\n")
    with pytest.raises(TableError, match="must list at least one image"):
        read(tmp_path)
    with pytest.raises(TableError, match=r"must be a folder or a table, got .*nowhere"):
        read(tmp_path / "nowhere")


def test_a_class_may_be_called_none(tmp_path):
    rows = [
        {"path": "a", "patient_id": "1", "kind": "none"},
        {"path": "b", "patient_id": "1", "kind": "NA"},
    ]
    tasks = parse_tasks(["kind:multiclass=none,mass"])
    assert [r.gt_label for r in read(write_csv(tmp_path / "t.csv", rows), tasks)] == [
        {"kind": 0.0},
        {},
    ]


PUBLISHED = {
    "metainfo": {"tasks": ["N", "LVI", "NumPos", "tumor_size"]},
    "data_list": [
        {
            "img_path": "png/12_MLO_L_visit1.png",
            "gt_label": {"N": 1, "tumor_size": 0.765},
            "clinic_vars": None,
        },
        {"img_path": "png/12_CC_L_visit1.png", "gt_label": {"N": 0, "LVI": 0, "NumPos": 3}},
        {"img_path": "png/9_CC_L_visit1.png", "gt_label": {}, "clinic_vars": {"age": 61.0}},
        {"img_path": "png/10_CC_L_visit1.png", "gt_label": {"N": None}, "clinic_vars": [0.3, 1.0]},
    ],
}


def test_the_published_form_is_read_as_it_stands(tmp_path):
    path = write_json(tmp_path / "train.json", PUBLISHED)
    tasks = find_converter("table").find_tasks((), path, {})
    assert {name: task.kind for name, task in tasks.items()} == {
        "N": TaskKind.BINARY,
        "LVI": TaskKind.BINARY,
        "NumPos": TaskKind.MULTICLASS,
        "tumor_size": TaskKind.REGRESSION,
    }
    records = read(path, None)
    assert [r.patient_id for r in records] == ["12", "12", "9", "10"]
    assert [r.gt_label for r in records] == [
        {"N": 1.0, "tumor_size": 0.765},
        {"N": 0.0, "LVI": 0.0, "NumPos": 3.0},
        {},
        {},
    ]
    assert all(not r.clinic_vars for r in records)
    assert read(path, None, clinical="age")[2].clinic_vars == {"age": 61}


def test_the_published_form_needs_no_metainfo_and_takes_kinds_from_the_command(tmp_path):
    path = write_json(tmp_path / "test.json", {"data_list": PUBLISHED["data_list"]})
    assert list(find_converter("table").find_tasks((), path, {})) == [
        "N",
        "tumor_size",
        "LVI",
        "NumPos",
    ]
    records = read(path, parse_tasks(["NumPos:regression"]))
    assert [r.gt_label for r in records] == [{}, {"NumPos": 3.0}, {}, {}]


def test_our_own_form_keeps_classes_patients_and_findings(tmp_path):
    finding = {"box": [1, 2, 3, 4], "label": "mass", "malignant": True}
    item = {
        "img_path": "a.dcm",
        "patient_id": "12_b",
        "gt_label": {"density": 2},
        "findings": [finding],
    }
    specs = {"density": {"kind": "ordinal", "classes": ["A", "B", "C"]}}
    content = {"metainfo": {"tasks": ["density"], "task_specs": specs}, "data_list": [item]}
    (record,) = read(write_json(tmp_path / "all.json", content), None)
    assert (record.patient_id, record.gt_label) == ("12_b", {"density": 2.0})
    assert record.findings == (Finding((1, 2, 3, 4), "mass", True),)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (
            {"img_path": "a", "gt_label": {"N": 2}},
            r"data_list\[0\]: task N: label must be a class index",
        ),
        (
            {"img_path": "a", "gt_label": {"N": "P"}},
            r"data_list\[0\]: task N: label must be a number, got 'P'",
        ),
        ({"img_path": "a", "gt_label": 3}, r"data_list\[0\]: gt_label must be an object, got 3"),
        ({"gt_label": {"N": 1}}, "columns must have one of img_path"),
        ({"img_path": "a", "gt_label": {"N": 1}, "findings": [3]}, "findings must be a list of"),
        (
            {"img_path": "a", "findings": [{"box": [5, 0, 2, 4], "label": "mass"}]},
            r"data_list\[0\]: findings must have boxes",
        ),
        (
            {"img_path": "a", "findings": [{"box": [0, 0, 2, 4], "label": "Doe^Jane"}]},
            r"data_list\[0\]: findings must be a number or a word",
        ),
    ],
)
def test_a_bad_item_of_the_published_form_is_refused_by_its_place(tmp_path, item, message):
    path = write_json(tmp_path / "t.json", {"metainfo": {"tasks": ["N"]}, "data_list": [item]})
    with pytest.raises(TableError, match=message):
        read(path, parse_tasks(["N:binary"]))


def test_absolute_paths_below_the_folder_are_the_same_images(tmp_path):
    absolute = [row | {"dicom_path": str(tmp_path / row["dicom_path"])} for row in ROWS]
    records = read(write_csv(tmp_path / "t.csv", absolute))
    assert records == [replace(record) for record in read(write_csv(tmp_path / "t.csv", ROWS))]


def test_a_class_or_truth_that_pandas_wrote_is_read_as_the_class(tmp_path):
    rows = [
        {"path": str(number), "patient_id": "1", "malignant": cell}
        for number, cell in enumerate(["1.0", "0.0", "True", "FALSE", ""])
    ]
    records = read(write_csv(tmp_path / "t.csv", rows), parse_tasks(["malignant:binary"]))
    labels = [record.gt_label.get("malignant") for record in records]
    assert labels == [1.0, 0.0, 1.0, 0.0, None]


@pytest.mark.parametrize("cell", ["20240131", "31.01.2024", "1_5", "1,5"])
def test_a_value_that_is_a_date_or_no_number_is_refused(tmp_path, cell):
    rows = [{"path": "a", "patient_id": "1", "size_mm": cell}]
    with pytest.raises(TableError, match=r"row 2: .*size_mm:? must be (no date|a finite number)"):
        read(write_csv(tmp_path / "t.csv", rows), parse_tasks(["size_mm:regression"]))


def test_a_clinical_column_of_many_words_is_refused_since_it_may_hold_names(tmp_path):
    rows = [
        {"path": str(n), "patient_id": str(n), "grade": f"G{n % 3}", "who": f"Jane Doe {n}"}
        for n in range(60)
    ]
    path = write_csv(tmp_path / "t.csv", rows)
    assert len(read(path, {}, clinical="grade")) == 60
    with pytest.raises(TableError, match=r"who must hold numbers .* 50 different words .* got 60"):
        read(path, {}, clinical="grade,who")


@pytest.mark.parametrize(
    "finding",
    [
        {"box": [0, 0, 2, 4], "label": "mass", "malignant": "Jane Doe, 1956"},
        {"box": [0, 0, float("inf"), 4], "label": "mass"},
        {"box": [0, 0, 2, 4], "label": "mass", "outline": [[0, float("nan")]]},
        {"box": [0, 0, 2, 4], "label": 3},
    ],
)
def test_a_finding_of_other_values_is_refused(tmp_path, finding):
    item = {"img_path": "a", "findings": [finding]}
    path = write_json(tmp_path / "t.json", {"data_list": [item]})
    with pytest.raises(TableError, match=r"findings must be a list of \{box, label\}"):
        read(path, {})


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        ([1], "metainfo must be an object"),
        ({"tasks": "y"}, "metainfo.tasks must be a list of names"),
        ({"tasks": [["y"]]}, "metainfo.tasks must be a list of names"),
        ({"tasks": ["y"], "task_specs": [1]}, "metainfo.task_specs must be an object"),
        ({"tasks": ["y"], "task_specs": {"y": {}}}, "task y: kind must be one of binary"),
        ({"tasks": ["y"], "task_specs": {"y": {"kind": "rank"}}}, "task y: kind must be one of"),
        ({"tasks": ["big"]}, "task big: labels must say whether they are classes or values"),
    ],
)
def test_a_published_form_with_broken_metainfo_is_refused(tmp_path, meta, message):
    item = {"img_path": "a", "gt_label": {"y": 1, "big": 8_212_345_678}}
    path = write_json(tmp_path / "t.json", {"metainfo": meta, "data_list": [item]})
    with pytest.raises(TableError, match=message):
        read(path, None)


def test_the_command_says_what_the_labels_of_the_published_form_cannot(tmp_path):
    item = {"img_path": "a", "gt_label": {"volume": 123456}}
    path = write_json(tmp_path / "t.json", {"data_list": [item]})
    assert read(path, parse_tasks(["volume:regression"]))[0].gt_label == {"volume": 123456.0}
