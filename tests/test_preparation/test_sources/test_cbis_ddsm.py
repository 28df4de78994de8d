"""CBIS-DDSM on invented rows with the oddities of the real tables, and on those tables."""

import json

import pytest

from cbis_tables import TABLES, row, write_tables
from dicom_files import draw_breast, write_dicom
from golden import shared_data
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.cbis_ddsm import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Level, Split, ViewPosition

TASKS = parse_tasks(DEFAULT_TASKS)
ALL = parse_tasks(
    [
        *DEFAULT_TASKS,
        "pathology:ordinal=BENIGN_WITHOUT_CALLBACK,BENIGN,MALIGNANT",
        "subtlety:ordinal=1,2,3,4,5",
        "mass:binary",
        "calcification:binary",
    ]
)


def images(root, tasks=ALL, **options):
    """Records of the patients of a test, by patient, side and view."""
    records = read_records(root, tasks, **options)
    return {
        (r.patient_id, r.laterality, r.view_position): r
        for r in records
        if not r.patient_id.startswith("P_9")
    }


def only(root, **options):
    (record,) = images(root, **options).values()
    return record


def test_a_row_becomes_a_record_without_line_breaks(tmp_path):
    cells = row("mass", "train", "P_80001", density="3")
    record = only(write_tables(tmp_path, cells))
    assert record.img_path == cells["image file path"].strip()
    assert (record.patient_id, record.exam_id) == ("P_80001", "P_80001")
    assert (record.laterality, record.view_position) == (Laterality.LEFT, ViewPosition.CC)
    assert (record.split, record.findings, record.clinic_vars) == (Split.TRAIN, (), {})
    assert record.gt_label == {
        "malignant": 0.0, "density": 2.0, "birads": 3.0, "pathology": 1.0,
        "subtlety": 2.0, "mass": 1.0, "calcification": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["mass", "calc"])
def test_both_spellings_of_the_density_column_are_read(tmp_path, kind):
    record = only(write_tables(tmp_path, row(kind, "test", "P_80001", density="4")))
    assert (record.gt_label["density"], record.split) == (3.0, Split.TEST)


def test_lesions_of_an_image_are_one_record_with_the_worst_label(tmp_path):
    lesions = [
        row("mass", "train", "P_80001", pathology="BENIGN_WITHOUT_CALLBACK", assessment="2"),
        row("mass", "train", "P_80001", number=2, pathology="MALIGNANT", subtlety="5"),
        row("mass", "train", "P_80001", number=3, assessment="3", subtlety="1"),
        row("mass", "train", "P_80001", view="MLO", pathology="BENIGN_WITHOUT_CALLBACK"),
    ]
    found = images(write_tables(tmp_path, *lesions))
    assert len(found) == 2
    worst = found["P_80001", "L", "CC"].gt_label
    assert worst == worst | {"malignant": 1.0, "pathology": 2.0, "birads": 3.0, "subtlety": 4.0}
    other = found["P_80001", "L", "MLO"].gt_label
    assert other == other | {"malignant": 0.0, "pathology": 0.0}


@pytest.mark.parametrize("column", ["density", "assessment", "subtlety"])
@pytest.mark.parametrize("cell", ["0", "", "N/A"])
def test_a_grade_that_nobody_gave_is_a_missing_label(tmp_path, column, cell):
    label = {"assessment": "birads"}.get(column, column)
    cells = row("calc", "test", "P_80001", **{column: cell})
    assert label not in only(write_tables(tmp_path, cells)).gt_label


def test_birads_0_is_a_label_where_the_task_has_the_class(tmp_path):
    root = write_tables(
        tmp_path,
        row("mass", "train", "P_80001", assessment="0"),
        row("mass", "train", "P_80002", assessment="0"),
        row("mass", "train", "P_80002", number=2, assessment="3"),
    )
    tasks = parse_tasks(["birads:multiclass=0,1,2,3,4,5"])
    assert [r.gt_label["birads"] for r in images(root, tasks).values()] == [0.0, 3.0]
    assert [r.gt_label.get("birads") for r in images(root, TASKS).values()] == [None, 2.0]


TWO_FILES = [
    row("mass", "train", "P_80001", pathology="BENIGN", assessment="3"),
    row("calc", "train", "P_80001", pathology="MALIGNANT", assessment="5"),
]


def test_an_image_with_two_files_is_one_record_with_the_labels_of_both(tmp_path):
    root = write_tables(tmp_path, *TWO_FILES)
    record = only(root)
    assert record.img_path.startswith("Mass-Training_P_80001_LEFT_CC/")
    assert record.gt_label == record.gt_label | {
        "malignant": 1.0, "birads": 4.0, "mass": 1.0, "calcification": 1.0,
    }  # fmt: skip
    copies = [r for r in read_records(root, ALL, keep_copies=True) if r.patient_id == "P_80001"]
    assert [r.img_path[:4] for r in copies] == ["Mass", "Calc"]
    assert copies[0].gt_label == copies[1].gt_label == record.gt_label


def test_files_of_one_kind_keep_the_labels_of_both(tmp_path):
    root = write_tables(tmp_path, *TWO_FILES)
    for kind, prefix in (("mass", "Mass"), ("calcification", "Calc")):
        record = only(root, kinds=(kind,))
        assert record.img_path.startswith(prefix)
        assert record.gt_label["malignant"] == 1.0


SHARED = [
    row("mass", "train", "P_80001"),
    row("calc", "test", "P_80001", view="MLO", pathology="MALIGNANT"),
    row("mass", "test", "P_80002"),
    row("calc", "train", "P_80002"),
    row("mass", "train", "P_80003"),
]


def test_patients_in_both_official_parts_are_refused_by_name(tmp_path):
    root = write_tables(tmp_path, *SHARED)
    with pytest.raises(ValueError, match=r"got 2: P_80001, P_80002: .*shared_patients=train"):
        list(read_records(root, TASKS))
    counts = count_source("cbis_ddsm", root).counts
    assert counts["shared_patients"] == {
        "number": 2,
        "in": {
            "calcification test, mass train": ["P_80001"],
            "calcification train, mass test": ["P_80002"],
        },
    }
    assert counts["split_error"].endswith("be in one split only, got P_80001, P_80002")


@pytest.mark.parametrize(
    ("choice", "splits"),
    [
        ({"shared_patients": "train"}, {"P_80001": "train", "P_80002": "train"}),
        ({"shared_patients": "test"}, {"P_80001": "test", "P_80002": "test"}),
        ({"shared_patients": "drop"}, {}),
        ({"official_split": False}, {"P_80001": None, "P_80002": None}),
        ({"kinds": ("mass",)}, {"P_80001": "train", "P_80002": "test"}),
    ],
)
def test_a_choice_puts_every_shared_patient_into_one_split(tmp_path, choice, splits):
    records = list(read_records(write_tables(tmp_path, *SHARED), TASKS, **choice))
    found = {
        patient: {r.split for r in records if r.patient_id == patient}
        for patient in ("P_80001", "P_80002")
    }
    assert {patient: {split} for patient, split in splits.items()} == {
        patient: parts for patient, parts in found.items() if parts
    }
    (other,) = [r for r in records if r.patient_id == "P_80003"]
    assert other.split == (None if "official_split" in choice else "train")


def test_copies_in_two_parts_stay_apart_until_the_patient_has_one(tmp_path):
    root = write_tables(tmp_path, row("mass", "train", "P_80001"), *SHARED[2:4])
    both = [r for r in read_contents(root, TASKS).records if r.patient_id == "P_80002"]
    assert {r.split for r in both} == {"train", "test"}
    assert len(images(root, shared_patients="test")) == 2


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"pathology": "CANCER"}, "pathology must be one of BENIGN_WITHOUT_CALLBACK, BENIGN, MAL"),
        ({"pathology": ""}, "pathology must not be empty, got ''"),
        ({"left or right breast": "BOTH"}, "left or right breast must be one of L, R, got 'BOTH'"),
        ({"image view": "AP"}, "image view must be one of CC, MLO"),
        ({"patient_id": "80001"}, "patient_id must be P_ and five digits, got '80001'"),
        ({"density": "5"}, "breast_density must be a whole number from 0 to 4, got '5'"),
        ({"assessment": "4a"}, "assessment must be a whole number from 0 to 5, got '4a'"),
        ({"subtlety": "-1"}, "subtlety must be a whole number from 0 to 5, got '-1'"),
        ({"abnormality type": "calcification"}, "abnormality type must be mass, got 'calci"),
        ({"image view": "MLO"}, "image file path must lie in Mass-Training_P_80001_LEFT_MLO"),
        ({"image file path": "Mass-Training_P_80001_LEFT_CC/a.dcm"}, "must be FOLDER/STUDY/SERIES"),
        ({"image file path": "../Mass-Training_P_80001_LEFT_CC/1.dcm"}, "must stay below the root"),
        ({}, "abnormality id must differ from that of row 2, got '1'"),
        ({"abnormality id": "2", "density": "1"}, "breast_density must be 2 as in mass_case_desc"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_with_table_and_row(tmp_path, cells, message):
    rows = [row("mass", "train", "P_80001"), row("mass", "train", "P_80001", **cells)]
    root = tmp_path / "tables"
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cbis_tables.is_of", lambda r, kind, split: (kind, split) == TABLES[0])
        write_tables(root, *rows)
    for kind, split in TABLES[1:]:
        path = root / f"{kind}_case_description_{split}_set.csv"
        cells_of = row(kind, split, "P_90001")
        path.write_text(",".join(cells_of) + "\n")
    with pytest.raises(TableError, match=r"^mass_case_description_train_set\.csv: ") as error:
        list(read_records(root, TASKS))
    assert "row 3: " in str(error.value)
    assert message in str(error.value)
    found = count_source("cbis_ddsm", root)
    assert (found.exit_code, found.counts["rows"], found.counts["refused_rows"]) == (1, 2, 1)
    assert found.counts["refused"][0].startswith("mass_case_description_train_set.csv: row 3: ")
    assert found.counts["images"] == 1


def test_absent_tables_and_columns_are_errors(tmp_path):
    with pytest.raises(TableError, match=r"must hold the tables mass_.*tables=DIR"):
        read_contents(tmp_path, TASKS)
    cells = row("calc", "test", "P_80001")
    del cells["breast density"]
    with pytest.raises(TableError, match="columns must have one of breast_density, breast density"):
        read_contents(write_tables(tmp_path, cells), TASKS)


def test_wrong_options_and_tasks_are_errors(tmp_path):
    root = write_tables(tmp_path)
    for options, message in (
        ({"kinds": ("masses",)}, "kinds must be some of mass, calcification, got masses"),
        ({"shared_patients": "keep"}, "one of refuse, train, test, drop, got 'keep'"),
    ):
        with pytest.raises(ValueError, match=message):
            list(read_records(root, TASKS, **options))
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .*, got age"):
        read_contents(root, parse_tasks(["age:regression"]))


def dicom(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_dicom(path, draw_breast())


def test_images_are_found_in_every_layout_of_a_download(tmp_path):
    views = [("LEFT", "CC"), ("LEFT", "MLO"), ("RIGHT", "CC"), ("RIGHT", "MLO")]
    rows = [row("mass", "train", "P_80001", side, view) for side, view in views]
    root = write_tables(tmp_path, *rows)
    paths = [r["image file path"].strip() for r in rows]
    folder, study, series, _ = zip(*(path.split("/") for path in paths), strict=True)
    files = [
        tmp_path / paths[0],  # As the tables have it.
        tmp_path / "CBIS-DDSM" / folder[1] / study[1] / series[1] / "1-1.dcm",
        tmp_path / f"deep/CBIS-DDSM/{folder[2]}/08-07-2016-DDSM-NA-{study[2][-5:]}"
        / f"1.000000-full mammogram images-{series[2][-5:]}" / "1-1.dcm",
    ]  # fmt: skip
    for file in files:
        dicom(file)
    # A second series beside the image: UIDs and their last digits tell which is meant.
    dicom(tmp_path / "CBIS-DDSM" / folder[1] / study[1] / "1.2.3" / "1-1.dcm")
    dicom(files[2].parents[1] / "1.000000-full mammogram images-00000" / "1-1.dcm")
    # The outline of a lesion has a folder of another name.
    dicom(tmp_path / "CBIS-DDSM" / f"{folder[3]}_1" / "1.2" / "1.3" / "1-1.dcm")
    found = [r.img_path for r in images(root).values()]
    assert found == [*(file.relative_to(tmp_path).as_posix() for file in files), paths[3]]


def test_a_copy_takes_the_place_of_a_file_that_is_absent(tmp_path):
    root = write_tables(tmp_path, *TWO_FILES)
    dicom(tmp_path / "CBIS-DDSM" / TWO_FILES[1]["image file path"].strip())
    assert only(root).img_path.startswith("CBIS-DDSM/Calc-Training_P_80001_LEFT_CC/")


def test_files_that_cannot_be_told_apart_are_not_taken(tmp_path, caplog):
    cells = row("mass", "train", "P_80001")
    root = write_tables(tmp_path, cells)
    path = cells["image file path"].strip()
    for name in ("1-1.dcm", "1-2.dcm"):
        dicom((tmp_path / "a" / path).parent / name)
    assert only(root).img_path == path
    assert "must hold one DICOM file, got 2: none was taken" in caplog.text
    dicom(tmp_path / "b" / path)
    with pytest.raises(ValueError, match=r"one folder Mass-Train.* with DICOM files, got 2"):
        only(root)


def test_the_source_is_prepared_with_its_split_and_absent_files_are_rejected(tmp_path):
    rows = [row("mass", "train", "P_80001"), row("calc", "test", "P_80002", side="RIGHT")]
    tables = write_tables(tmp_path / "tables", *rows)
    for cells in rows:
        dicom(tmp_path / "source" / "CBIS-DDSM" / cells["image file path"].strip())
    options = DatasetOptions(source_options={"tables": str(tables)})
    out = tmp_path / "out"
    summary = prepare_dataset("cbis_ddsm", out, tmp_path / "source", options)
    assert summary.counts["images"] == 2
    assert set(summary.rejected.values()) == {"file does not exist"}
    assert len(summary.rejected) == 2
    train = read_annotations(out / "annotations" / "train.json")
    assert (train.level, len(train.records)) == (Level.IMAGE, 1)
    text = (out / "prepared.json").read_text()
    assert json.loads(text)["splits"] == "of the source"
    assert str(tmp_path) not in text


@pytest.fixture(scope="module")
def official():
    return shared_data("cbis_ddsm_tables")


def test_the_official_tables_have_the_published_counts(official):
    found = count_source("cbis_ddsm", official)
    counts = found.counts
    assert (found.exit_code, counts["refused"]) == (0, [])
    assert (counts["rows"], counts["lesions"], counts["patients"]) == (3568, 3568, 1566)
    assert counts["pathology_of_lesions"] == {
        "MALIGNANT": 1457,
        "BENIGN": 1429,
        "BENIGN_WITHOUT_CALLBACK": 682,
    }
    assert list(counts["rows_by_table"].values()) == [1318, 378, 1546, 326]
    assert (counts["files"], counts["images_with_two_files"]) == (3103, 71)


def test_the_official_tables_share_31_patients_and_every_choice_parts_them(official):
    counts = count_source("cbis_ddsm", official).counts
    parts = counts["shared_patients"]["in"]
    assert {name: len(patients) for name, patients in parts.items()} == {
        "calcification test, mass train": 13,
        "calcification train, mass test": 18,
    }
    names = sorted(name for patients in parts.values() for name in patients)
    assert len(names) == counts["shared_patients"]["number"] == 31
    with pytest.raises(ValueError, match="got 31: " + ", ".join(names)):
        list(read_records(official, TASKS))
    patients = {}
    for choice in ("train", "test", "drop"):
        options = DatasetOptions(source_options={"shared_patients": choice})
        counts = count_source("cbis_ddsm", official, options).counts
        assert counts["split_error"] is None
        train, test = (counts["splits"][split]["patients"] for split in ("train", "test"))
        assert train + test == counts["patients"]
        patients[choice] = (train, test)
    assert patients == {"train": (1248, 318), "test": (1217, 349), "drop": (1217, 318)}
    assert [counts["images"]] == [2947]
