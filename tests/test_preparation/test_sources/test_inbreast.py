"""INbreast on invented rows, outlines and files."""

import plistlib

import cv2
import numpy as np
import pytest
from openpyxl import Workbook

from dicom_files import draw_breast, write_dicom
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.inbreast import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import Finding, read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import ViewPosition

KINDS = ["mass", "calcification", "asymmetry", "distortion"]
TASKS = parse_tasks([*DEFAULT_TASKS, *(f"{kind}:binary" for kind in KINDS)])
COLUMNS = [
    "Patient ID", "Patient age", "Laterality", "View", "Acquisition date", "File Name", "ACR",
    "Bi-Rads",
]  # fmt: skip
ANN, BEA = "a" * 16, "0123456789abcdef"
# Side, view, period, number, ACR and BI-RADS, of two patients, the first of them with two exams.
ROWS = {
    ANN: [
        ("R", "CC", "201001", "90000001", "4", "1"),
        ("L", "MLO", "201001", "90000002", "4", "3"),
        ("L", "MLO", "200802", "90000003", "4", "2"),
        ("R", "FB", "201001", "90000004", " " * 40, "4c"),
    ],
    BEA: [("L", "CC", "200901", "90000005", "1", "5"), ("R", "CC", "200901", "90000006", "2", "6")],
}
ALL = [row for rows in ROWS.values() for row in rows]
# As OsiriX writes it.
XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>Images</key><array><dict>
<key>ImageIndex</key><integer>0</integer><key>NumberOfROIs</key><integer>{count}</integer>
<key>ROIs</key><array>{rois}</array></dict></array></dict></plist>
"""
ROI = """<dict><key>Area</key><real>0.5</real><key>Center</key><string>(1, 2, 0)</string>
<key>IndexInImage</key><integer>0</integer><key>Name</key><string>{name}</string>
<key>NumberOfPoints</key><integer>{count}</integer><key>Point_mm</key><array></array>
<key>Point_px</key><array>{points}</array><key>Type</key><integer>15</integer></dict>
"""
SQUARE = [(60.0, 100.0), (90.0, 100.0), (90.0, 140.0), (60.0, 140.0)]


def roi(name, points, count=None):
    text = "".join(f"<string>({x:.6f}, {y:.6f})</string>" for x, y in points)
    return ROI.format(name=name, points=text, count=len(points) if count is None else count)


def write_outlines(root, number, *rois, count=None):
    (root / "AllXML").mkdir(exist_ok=True)
    text = XML.format(rois="".join(rois), count=len(rois) if count is None else count)
    (root / "AllXML" / f"{number}.xml").write_text(text)


def write_table(root, rows=ALL, columns=COLUMNS):
    root.mkdir(exist_ok=True)
    lines = [columns, *(("removed", "removed", *row) for row in rows)]
    (root / "INbreast.csv").write_text("\n".join(map(";".join, lines)) + "\n")
    return root


def name_of(row, patient):
    view = {"MLO": "ML"}.get(row[1], row[1])
    return f"AllDICOMs/{row[3]}_{patient}_MG_{row[0]}_{view}_ANON.dcm"


@pytest.fixture
def study(tmp_path):
    """A release whose files are only names: none of them can be read."""
    root = write_table(tmp_path / "study")
    (root / "AllDICOMs").mkdir()
    for patient, rows in ROWS.items():
        for row in rows:
            (root / name_of(row, patient)).write_bytes(b"no DICOM")
    for number in ("90000002", "90000003", "90000004", "90000005", "90000006"):
        write_outlines(root, number, roi("Mass", SQUARE))
    return root


def read(root, tasks=TASKS, **options):
    return {r.img_path[10:18]: r for r in read_records(root, tasks, **options)}


def test_patients_come_from_the_names_of_files_and_exams_are_numbered_without_a_date(study):
    records = read(study)
    assert [(r.patient_id, r.exam_id) for r in records.values()] == [
        (ANN, "2"), (ANN, "2"), (ANN, "1"), (ANN, "2"), (BEA, "1"), (BEA, "1"),
    ]  # fmt: skip
    assert records["90000002"].img_path == f"AllDICOMs/90000002_{ANN}_MG_L_ML_ANON.dcm"
    assert records["90000002"].view_position is ViewPosition.MLO
    assert records["90000004"].view_position is ViewPosition.FB
    assert [r.laterality for r in records.values()] == list("RLLRLR")
    assert not any(r.clinic_vars for r in records.values())


def test_labels_follow_birads_and_density_and_a_blank_density_is_a_missing_label(study):
    labels = [r.gt_label for r in read(study).values()]
    assert [label["birads"] for label in labels] == [0, 2, 1, 3, 4, 5]
    assert [label["suspicious"] for label in labels] == [0, 0, 0, 1, 1, 1]
    assert [label.get("density") for label in labels] == [3, 3, 3, None, 0, 1]


def test_a_task_with_classes_for_4a_to_4c_keeps_them_apart(study):
    fine = parse_tasks(["birads:ordinal=1,2,3,4a,4b,4c,5,6"])
    assert [r.gt_label["birads"] for r in read(study, fine).values()] == [0, 2, 1, 5, 6, 7]


@pytest.mark.parametrize(
    ("birads_3", "label"), [("negative", 0.0), ("positive", 1.0), ("missing", None)]
)
def test_what_birads_3_is_can_be_chosen(study, birads_3, label):
    labels = [r.gt_label.get("suspicious") for r in read(study, birads_3=birads_3).values()]
    assert labels == [0, label, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("name", "label", "kind"),
    [
        ("Mass", "mass", "mass"),
        ("Spiculated Region", "spiculated region", "mass"),
        ("Spiculated region", "spiculated region", "mass"),
        ("Espiculated Region", "spiculated region", "mass"),
        ("Calcification", "calcification", "calcification"),
        ("Calcifications", "calcification", "calcification"),
        ("Cluster", "calcification cluster", "calcification"),
        ("Asymmetry", "asymmetry", "asymmetry"),
        ("Assymetry", "asymmetry", "asymmetry"),
        ("Distortion", "distortion", "distortion"),
    ],
)
def test_every_spelling_of_a_finding_is_understood(study, name, label, kind):
    write_outlines(study, "90000002", roi(name, SQUARE))
    record = read(study)["90000002"]
    assert record.findings == (Finding((60.0, 100.0, 90.0, 140.0), label, None, tuple(SQUARE)),)
    assert {k: record.gt_label[k] for k in KINDS} == {k: float(k == kind) for k in KINDS}


@pytest.mark.parametrize("name", ["Calcification", "Point 1", "Point 3", "Unnamed", ""])
def test_a_point_is_a_calcification_of_one_pixel_whoever_named_it(study, name):
    write_outlines(study, "90000002", roi(name, [(70.25, 80.0)]))
    record = read(study)["90000002"]
    assert record.findings == (Finding((69.75, 79.5, 70.75, 80.5), "calcification"),)
    assert record.gt_label["calcification"] == 1


def test_two_points_are_a_box_of_at_least_one_pixel_without_outline(study):
    write_outlines(study, "90000002", roi("Calcification", [(70.0, 80.0), (74.0, 80.5)]))
    (finding,) = read(study)["90000002"].findings
    assert (finding.box, finding.outline) == ((70.0, 79.75, 74.0, 80.75), ())


@pytest.mark.parametrize("name", ["Unnamed", "Point 3", ""])
def test_an_area_without_a_name_may_be_anything_so_absence_is_not_known(study, name):
    write_outlines(study, "90000002", roi(name, SQUARE), roi("Mass", SQUARE))
    record = read(study)["90000002"]
    assert [finding.label for finding in record.findings] == ["unnamed", "mass"]
    assert {k: v for k, v in record.gt_label.items() if k in KINDS} == {"mass": 1.0}


def test_no_outlines_mean_no_finding_where_the_image_is_normal_and_are_unknown_elsewhere(
    study, caplog
):
    (study / "AllXML" / "90000003.xml").unlink()
    records = read(study)
    assert {k: records["90000001"].gt_label[k] for k in KINDS} == dict.fromkeys(KINDS, 0.0)
    assert not set(KINDS) & set(records["90000003"].gt_label)
    assert "images whose findings are unknown for want of outlines: 1" in caplog.text
    for path in (study / "AllXML").iterdir():
        path.unlink()
    assert not any(set(KINDS) & set(r.gt_label) for r in read(study).values())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<plist>not really", "90000002.xml: the file must be a property list in XML"),
        ("", "90000002.xml: the file must be a property list in XML"),
        (
            '<!DOCTYPE a [<!ENTITY b "c">]><plist><string>&b;</string></plist>',
            "90000002.xml: the file must be a property list in XML",
        ),
        (
            "<plist><dict><key>Images</key><array/></dict></plist>",
            "90000002.xml: Images must hold one image with a list ROIs",
        ),
        ("<plist><array/></plist>", "90000002.xml: Images must hold one image"),
    ],
)
def test_damaged_outlines_are_refused_by_the_name_of_the_file(study, content, message):
    (study / "AllXML" / "90000002.xml").write_text(content)
    with pytest.raises(TableError) as error:
        read(study)
    assert f"AllXML: 1 bad cells\n  {message}" in str(error.value)
    found = count_source("inbreast", study)
    assert (found.exit_code, found.counts["images"]) == (1, 5)
    assert found.counts["refused"][0].startswith(f"AllXML: {message}")


def test_a_binary_property_list_is_refused(study):
    image = {"NumberOfROIs": 0, "ROIs": []}
    content = plistlib.dumps({"Images": [image]}, fmt=plistlib.FMT_BINARY)
    (study / "AllXML" / "90000002.xml").write_bytes(content)
    with pytest.raises(TableError, match=r"90000002\.xml: the file must be a property list in XML"):
        read(study)


@pytest.mark.parametrize(
    ("rois", "count", "message"),
    [
        ([roi("Mess", SQUARE)], 1, "ROI 1: Name must be one of mass, spiculated region, "),
        ([roi("Mass", [])], 1, "ROI 1: Point_px must list at least one point, got 'list'"),
        ([roi("Mass", SQUARE, 5)], 1, "ROI 1: NumberOfPoints must be 4, the length of Point_px"),
        ([roi("Mass", SQUARE)], 2, "NumberOfROIs must be 1, the length of ROIs, got 2"),
        (
            [roi("Mass", SQUARE), roi("Mass", SQUARE).replace("(90", "(ninety")],
            2,
            "ROI 2: Point_px must hold points such as '(9.5, 30)', got '(ninety",
        ),
        (
            [roi("Mass", [(float("nan"), 1.0)])],
            1,
            "ROI 1: Point_px must hold points such as '(9.5, 30)', got '(nan, 1.000000)'",
        ),
    ],
)
def test_an_outline_that_is_not_understood_is_refused(study, rois, count, message):
    write_outlines(study, "90000002", *rois, count=count)
    with pytest.raises(TableError) as error:
        read(study)
    assert "AllXML: 1 bad cells\n" in str(error.value)
    assert "90000002.xml" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("column", "cell", "message"),
    [
        ("File Name", "a12", "File Name must be a number, that of the file, got 'a12'"),
        ("File Name", "", "File Name must not be empty"),
        ("File Name", "90000001", "File Name must differ from that of row 2, got '90000001'"),
        ("Laterality", "B", "Laterality must be one of L, R, got 'B'"),
        ("Laterality", "R", "Laterality must be L as the name of the file says, got 'R'"),
        ("View", "AP", "View must be one of CC, MLO, ML"),
        ("View", "", "View must not be empty"),
        ("Bi-Rads", "4d", "Bi-Rads must be one of 1, 2, 3, 4, 4a, 4b, 4c, 5, 6, got '4d'"),
        ("Bi-Rads", "0", "Bi-Rads must be one of 1, 2"),
        ("Bi-Rads", "", "Bi-Rads must not be empty"),
        ("ACR", "5", "ACR must be a whole number from 1 to 4, got '5'"),
        (
            "Acquisition date",
            "2010",
            "Acquisition date must be a year and a part of it, as six digits",
        ),
        ("Patient age", "old", "Patient age must be a whole number from 0 to 120, got 'old'"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(study, column, cell, message):
    lines = [line.split(";") for line in (study / "INbreast.csv").read_text().splitlines()]
    lines[2][COLUMNS.index(column)] = cell
    (study / "INbreast.csv").write_text("\n".join(map(";".join, lines)))
    with pytest.raises(TableError) as error:
        read(study)
    assert f"INbreast.csv: 1 bad cells\n  row 3: {message}" in str(error.value)
    assert count_source("inbreast", study).counts["refused_rows"] == 1


def test_a_workbook_whose_numbers_are_numbers_gives_the_same_as_text(study, tmp_path):
    expected = read(study)
    (study / "INbreast.csv").unlink()
    book = Workbook()
    book.active.append(COLUMNS)
    for side, view, period, number, acr, birads in ALL:
        cells = [int(period), float(number), int(acr) if acr.strip() else None]
        row = ["removed", "removed", side, view, *cells]
        book.active.append([*row, int(birads) if birads.isdigit() else birads.upper()])
    book.save(study / "copy.xlsx")
    assert read(study, table="copy.xlsx") == expected


def test_identities_and_ages_that_were_not_removed_are_taken(study):
    text = (study / "INbreast.csv").read_text()
    write_table(study)
    (study / "INbreast.csv").write_text(text.replace("removed;removed", "7;54"))
    next((study / "AllDICOMs").glob("90000001*")).unlink()
    records = read(study)
    assert [records[f"9000000{i}"].patient_id for i in (1, 2)] == ["7", ANN]
    assert records["90000002"].clinic_vars == {"age_years": 54}


def test_files_that_the_table_does_not_tell_of_are_counted_and_two_of_an_image_are_an_error(
    study, caplog
):
    for name in ("90000099_" + ANN + "_MG_L_CC_ANON.dcm", "scan.dcm", "._hidden.dcm", "a.txt"):
        (study / "AllDICOMs" / name).write_bytes(b"")
    assert len(read(study)) == 6
    assert "files of images that the table does not list, left out: 1" in caplog.text
    assert "DICOM files with a name of another form, left out: 1" in caplog.text
    (study / "AllDICOMs" / f"90000001_{BEA}_MG_R_CC_ANON.dcm").write_bytes(b"")
    with pytest.raises(ValueError, match="one file of each image, got two of 90000001"):
        read(study)


def test_a_dry_run_looks_at_names_only_and_says_that_patients_are_unknown_without_them(study):
    counts = count_source("inbreast", study).counts
    assert [counts[name] for name in ("rows", "images", "breasts", "exams", "patients")] == [
        6, 6, 4, 3, 2,
    ]  # fmt: skip
    assert counts["labels"]["birads"] == {
        "1": 1, "2": 1, "3": 1, "4": 1, "5": 1, "6": 1, "missing": 0,
    }  # fmt: skip
    assert (counts["notes"], counts["findings_by_label"]) == ({}, {"mass": 5})
    for path in (study / "AllDICOMs").iterdir():
        path.unlink()
    counts = count_source("inbreast", study).counts
    assert (counts["exams"], counts["patients"]) == (0, 6)
    assert counts["notes"] == {
        "images without a file in AllDICOMs": 6,
        "images of unknown patients, each counted as a patient of its own": 6,
    }


def test_an_unknown_option_task_or_column_is_an_error(study):
    with pytest.raises(ValueError, match=r"birads_3 must be one of negative, .*, got 'both'"):
        read(study, birads_3="both")
    with pytest.raises(ValueError, match=r"tasks must be some of suspicious, .*, got malignant"):
        read_contents(study, parse_tasks(["malignant:binary"]))
    write_table(study, columns=["File" if name == "File Name" else name for name in COLUMNS])
    with pytest.raises(TableError, match="columns must have File Name, got Patient ID"):
        read(study)
    (study / "INbreast.csv").unlink()
    with pytest.raises(TableError, match=r"must hold one table INbreast.*table=FILE"):
        read(study)


def test_a_prepared_outline_holds_what_was_drawn_and_no_output_tells_date_or_patient(tmp_path):
    root = write_table(tmp_path / "study", ALL[:2])
    (root / "AllDICOMs").mkdir()
    pixels = draw_breast((400, 300), top=1500)
    pixels[150:180, 60:100] = 4000  # Rows 150 to 179, columns 60 to 99.
    square = [(60.0, 150.0), (100.0, 150.0), (100.0, 180.0), (60.0, 180.0)]
    write_dicom(root / name_of(ALL[1], ANN), pixels, StudyDate="20100131", ImageLaterality="L")
    write_outlines(root, "90000002", roi("Mass", square), roi("Calcification", [(80.0, 200.0)]))
    out = tmp_path / "out"
    summary = prepare_dataset("inbreast", out, root, DatasetOptions(tasks=["suspicious:binary"]))
    assert summary.rejected == {"AllDICOMs/90000001.dcm": "file does not exist"}
    (record,) = read_annotations(out / "annotations" / "all.json").records
    image = cv2.imread(str(out / record.img_path), cv2.IMREAD_UNCHANGED)
    rows, columns = np.nonzero(image > 0.9 * image.max())
    drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    mass, calcification = record.findings
    assert (mass.box, mass.label) == (drawn, "mass")
    assert [right - left for left, right in (calcification.box[::2], calcification.box[1::2])] == [
        1, 1,
    ]  # fmt: skip
    told = (b"201001", ANN.encode(), b"90000002")
    for path in [*out.glob("annotations/*"), out / "prepared.json", *out.glob("images/*")]:
        assert not [word for word in told if word in path.read_bytes()]
