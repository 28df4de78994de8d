"""The ROI masks of CBIS-DDSM, in downloads as they are found."""

import csv
from collections import Counter
from pathlib import PurePosixPath

import numpy as np
import pytest

from cbis_tables import row, write_tables
from dicom_files import draw_breast, write_dicom
from golden import shared_data
from mammography.functional.outlines import fill_outline
from mammography.preparation import finding_masks
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.finding_masks import ABSENT, EMPTY, MANY_VALUES, OTHER_SHAPE, SCALED
from mammography.preparation.sources.cbis_ddsm import read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.task import parse_tasks
from table_study import output_bytes, records_of

TASKS = parse_tasks(["malignant:binary"])
SIZE = (300, 200)
MASK, CUT_OUT = "ROI mask file path", "cropped image file path"


def draw_mask(top=150, left=20, size_hw=SIZE, value=255):
    mask = np.zeros(size_hw, np.uint8)
    mask[top : top + 30, left : left + 20] = value
    return mask


def draw_cut_out(seed=0):
    return draw_breast((90, 80), noise=50, seed=seed)


def path_of(cells, column="image file path"):
    return cells[column].strip()


def write(root, path, pixels):
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    write_dicom(root / path, pixels)


def classic(path, name):
    """Where the Data Retriever puts a file, by its UIDs."""
    return f"CBIS-DDSM/{PurePosixPath(path).parent}/{name}"


def descriptive(path, name):
    """Where it puts it by its descriptions, which call both series alike."""
    folder, study, series, _ = path.split("/")
    return (
        f"CBIS-DDSM/{folder}/08-29-2017-DDSM-NA-{study[-5:]}/"
        f"1.000000-ROI mask images-{series[-5:]}/{name}"
    )


def as_listed(path, name):
    return f"{PurePosixPath(path).parent}/{name}"


def download(root, cells, layout=classic, mask=None, names=("1-1.dcm", "1-2.dcm")):
    """Write the image of a row, its cut-out and its mask, in this order of names."""
    write(root, layout(path_of(cells), "1-1.dcm"), draw_breast(SIZE, noise=10))
    lesion = layout(path_of(cells, MASK), "")
    write(root, lesion + names[0], draw_cut_out())
    write(root, lesion + names[1], draw_mask() if mask is None else mask)


def prepare(root, out, tables=None, **options):
    chosen = {name: str(value) for name, value in options.items()}
    chosen |= {"tables": str(tables)} if tables else {}
    source_options = DatasetOptions(tasks=("malignant:binary",), source_options=chosen)
    return prepare_dataset("cbis_ddsm", out, root, source_options)


def findings_of(out):
    return [finding for record in records_of(out) for finding in record.findings]


def box_in_source(out, finding):
    (record,) = [r for r in records_of(out) if finding in r.findings]
    return tuple(round(v, 2) for v in record.geometry.to_source(finding.box))


@pytest.mark.parametrize("names", [("1-1.dcm", "1-2.dcm"), ("1-2.dcm", "1-1.dcm")])
@pytest.mark.parametrize("layout", [classic, descriptive])
def test_the_mask_is_found_in_both_ways_of_naming_and_either_order(tmp_path, layout, names):
    cells = row("mass", "train", "P_80001", pathology="MALIGNANT")
    root = write_tables(tmp_path / "source", cells)
    download(root, cells, layout, names=names)
    summary = prepare(root, tmp_path / "out")
    assert summary.doubts == {}
    (finding,) = findings_of(tmp_path / "out")
    assert (finding.label, finding.malignant) == ("mass", True)
    assert box_in_source(tmp_path / "out", finding) == (20, 150, 40, 180)
    (record,) = records_of(tmp_path / "out")
    filled = fill_outline(finding.outline, record.size_hw)
    left, top, right, bottom = record.geometry.crop_box
    assert np.array_equal(filled, draw_mask()[top:bottom, left:right] > 0)


@pytest.mark.parametrize("names", [("000000.dcm", "000001.dcm"), ("000001.dcm", "000000.dcm")])
def test_interchanged_files_with_the_names_of_the_table_are_told_apart(tmp_path, names):
    cells = row("calc", "test", "P_80001")
    root = write_tables(tmp_path / "source", cells)
    download(root, cells, as_listed, names=names)
    prepare(root, tmp_path / "out")
    (finding,) = findings_of(tmp_path / "out")
    assert (finding.label, finding.malignant) == ("calcification", False)
    assert box_in_source(tmp_path / "out", finding) == (20, 150, 40, 180)


@pytest.mark.parametrize("interchanged", [False, True])
def test_mask_and_cut_out_in_series_of_their_own_are_told_apart(tmp_path, interchanged):
    paths = [f"Mass-Test_P_80001_LEFT_CC_1/1.2.{n}.11111/1.3.{n}.22222/000000.dcm" for n in (1, 2)]
    mask, cut_out = paths[::-1] if interchanged else paths
    cells = row("mass", "test", "P_80001", **{MASK: f"{paths[0]}\n", CUT_OUT: f"{paths[1]}\n"})
    root = write_tables(tmp_path / "source", cells)
    write(root, path_of(cells), draw_breast(SIZE))
    write(root, classic(mask, "1-1.dcm"), draw_mask())
    write(root, classic(cut_out, "1-1.dcm"), draw_cut_out())
    prepare(root, tmp_path / "out")
    assert box_in_source(tmp_path / "out", findings_of(tmp_path / "out")[0]) == (20, 150, 40, 180)


@pytest.mark.parametrize(
    ("mask", "doubt"),
    [
        (np.zeros(SIZE, np.uint8), EMPTY),
        (draw_mask(size_hw=(300, 230)), OTHER_SHAPE),
        (draw_cut_out(1), MANY_VALUES),
    ],
)
def test_a_mask_that_is_none_costs_the_finding_and_not_the_image(tmp_path, mask, doubt):
    cells = row("mass", "train", "P_80001", pathology="MALIGNANT")
    other = row("mass", "train", "P_80002")
    root = write_tables(tmp_path / "source", cells, other)
    download(root, cells, mask=mask)
    download(root, other)
    summary = prepare(root, tmp_path / "out")
    path = classic(path_of(cells), "1-1.dcm")
    assert (summary.doubts, summary.counts["images"]) == ({path: [doubt]}, 2)
    assert path not in summary.rejected
    assert len(findings_of(tmp_path / "out")) == 1


def test_a_mask_of_the_size_of_another_scan_is_scaled_and_doubted(tmp_path):
    cells = row("mass", "train", "P_80001")
    root = write_tables(tmp_path / "source", cells)
    download(root, cells, mask=draw_mask(size_hw=(600, 400), top=300, left=40))
    summary = prepare(root, tmp_path / "out")
    assert list(summary.facts["doubts"]) == [SCALED]
    (finding,) = findings_of(tmp_path / "out")
    assert box_in_source(tmp_path / "out", finding) == (20, 150, 30, 165)


def test_an_absent_mask_is_a_doubt_where_others_are_there(tmp_path):
    first, second = row("mass", "train", "P_80001"), row("mass", "train", "P_80002")
    root = write_tables(tmp_path / "source", first, second)
    download(root, first)
    write(root, classic(path_of(second), "1-1.dcm"), draw_breast(SIZE))
    summary = prepare(root, tmp_path / "out")
    assert summary.doubts == {classic(path_of(second), "1-1.dcm"): [ABSENT]}
    assert (summary.counts["images"], summary.counts["findings"]) == (2, 1)


def test_without_any_file_of_a_lesion_no_image_is_doubted(tmp_path, caplog):
    cells = row("mass", "train", "P_80001")
    root = write_tables(tmp_path / "source", cells)
    write(root, classic(path_of(cells), "1-1.dcm"), draw_breast(SIZE))
    summary = prepare(root, tmp_path / "out")
    assert (summary.doubts, summary.counts["findings"]) == ({}, 0)
    assert "holds no file of a lesion: none of 4 is outlined" in caplog.text


def test_masks_false_reads_none_of_them(tmp_path, monkeypatch):
    cells = row("mass", "train", "P_80001")
    root = write_tables(tmp_path / "source", cells)
    download(root, cells)
    monkeypatch.setattr(finding_masks, "read_stored_pixels", None)
    summary = prepare(root, tmp_path / "out", masks="false")
    assert (summary.doubts, summary.counts["findings"]) == ({}, 0)
    assert count_source("cbis_ddsm", root).counts["lesions_with_mask"] == 4


def test_an_image_with_two_files_gets_the_lesions_of_both(tmp_path):
    rows = [
        row("mass", "train", "P_80001", pathology="MALIGNANT"),
        row("mass", "train", "P_80001", number=2),
        row("calc", "train", "P_80001", pathology="BENIGN_WITHOUT_CALLBACK"),
    ]
    root = write_tables(tmp_path / "source", *rows)
    for number, cells in enumerate(rows):
        download(root, cells, mask=draw_mask(top=100 + 20 * number))
    for options in ({}, {"kinds": "calcification"}):
        out = tmp_path / f"out{len(options)}"
        prepare(root, out, **options)
        assert [(f.label, f.malignant) for f in findings_of(out)] == [
            ("mass", True),
            ("mass", False),
            ("calcification", False),
        ]
        assert [box_in_source(out, f)[1] for f in findings_of(out)] == [100, 120, 140]
    prepare(root, tmp_path / "copies", keep_copies="true")
    assert [len(r.findings) for r in records_of(tmp_path / "copies")] == [3, 3]


def test_a_run_that_was_killed_ends_like_one_in_one_go(tmp_path, monkeypatch):
    rows = [row("mass", "train", f"P_8000{n}") for n in range(4)]
    root = write_tables(tmp_path / "source", *rows)
    for number, cells in enumerate(rows):
        download(root, cells, mask=draw_mask(left=10 * number))
    prepare(root, tmp_path / "a" / "study")
    real, left = finding_masks.trace_outline, [2]

    def killed(mask):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return real(mask)

    with monkeypatch.context() as patch:
        patch.setattr(finding_masks, "trace_outline", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(root, tmp_path / "b" / "study")
    assert prepare(root, tmp_path / "b" / "study").reused >= 2
    assert output_bytes(tmp_path / "a" / "study") == output_bytes(tmp_path / "b" / "study")


def test_reading_the_tables_opens_no_mask(tmp_path, monkeypatch):
    cells = row("mass", "train", "P_80001")
    root = write_tables(tmp_path / "source", cells)
    for path in (path_of(cells), path_of(cells, MASK), path_of(cells, CUT_OUT)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("never read")
    (record,) = [r for r in read_records(root, TASKS) if r.patient_id == "P_80001"]
    (mask,) = record.masks
    assert mask.paths == (path_of(cells, MASK), path_of(cells, CUT_OUT))


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({MASK: "Mass-Test_P_80001_LEFT_CC_1/1/2/3.dcm"}, "must lie in Mass-Training_P_80001_LEFT"),
        ({CUT_OUT: "Mass-Training_P_80001_LEFT_CC_2/1/2/3.dcm"}, "LEFT_CC_1, as the other cells"),
        ({MASK: "Mass-Training_P_80001_LEFT_CC_1/3.dcm"}, f"{MASK} must be FOLDER/STUDY/SERIES"),
        ({MASK: "../1/2/3.dcm"}, f"{MASK} must stay below the root"),
    ],
)
def test_a_path_of_a_lesion_that_is_not_understood_is_refused(tmp_path, cells, message):
    root = write_tables(tmp_path, row("mass", "train", "P_80001", **cells))
    with pytest.raises(TableError) as error:
        list(read_records(root, TASKS))
    assert message in str(error.value)
    assert "row 2: " in str(error.value)


def test_a_lesion_without_a_path_has_no_mask(tmp_path):
    cells = row("mass", "train", "P_80001", **{MASK: "", CUT_OUT: " \n"})
    other = row("mass", "train", "P_80001", number=2, **{MASK: ""})
    counts = count_source("cbis_ddsm", write_tables(tmp_path, cells, other)).counts
    assert (counts["lesions"], counts["lesions_with_mask"]) == (5, 4)


def test_every_row_of_the_official_tables_has_a_mask_in_a_folder_of_its_own():
    official = shared_data("cbis_ddsm_tables")
    found = count_source("cbis_ddsm", official).counts
    assert (found["lesions"], found["lesions_with_mask"]) == (3568, 3568)
    masks = [mask for r in read_contents(official, {}).records for mask in r.masks]
    # Before it is said what becomes of them, patients of both parts count in each.
    assert len({mask.path for mask in masks}) == 3568
    assert len({mask.path.partition("/")[0] for mask in masks}) == 3568
    options = {"official_split": False}
    masks = [mask for r in read_contents(official, {}, **options).records for mask in r.masks]
    assert Counter((mask.label, mask.malignant) for mask in masks) == expected_counts(official)


def expected_counts(official):
    counts = Counter()
    for path in official.glob("*.csv"):
        with path.open(newline="") as file:
            for cells in csv.DictReader(file):
                malignant = cells["pathology"] == "MALIGNANT"
                counts[cells["abnormality type"], malignant] += 1
    return counts
