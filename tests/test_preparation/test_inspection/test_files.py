import csv
import io
import json
import stat

import pytest

from dicom_files import draw_breast, write_dicom
from headers import view_code
from mammography.preparation.image import PreparationOptions
from mammography.preparation.inspection import files as module
from mammography.preparation.inspection.file import FIELDS
from mammography.preparation.inspection.files import (
    find_files,
    inspect_files,
    write_inspection,
)
from mammography.preparation.rejection import CRASHED

IMAGE = draw_breast()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    maker = {"Manufacturer": "Maker", "ManufacturerModelName": "M1"}
    write_dicom(tmp_path / "in" / "b.dcm", IMAGE, ImageLaterality="L", ViewPosition="CC", **maker)
    write_dicom(tmp_path / "in" / "deep" / "a", IMAGE, ImageLaterality="R", Modality="CR", **maker)
    write_dicom(tmp_path / "in" / "deep" / "c", IMAGE, ViewPosition="CC")
    (tmp_path / "in" / "notes.txt").write_text("no image")
    (tmp_path / "in" / ".hidden").write_text("")
    return tmp_path / "in"


def names(paths, folder):
    return [path.relative_to(folder).as_posix() for path in paths]


def test_folders_stand_for_their_files_in_order(folder):
    assert names(find_files([folder]), folder) == ["b.dcm", "deep/a", "deep/c", "notes.txt"]
    assert names(find_files([folder], recursive=False), folder) == ["b.dcm", "notes.txt"]
    assert find_files([folder / "notes.txt", folder]) == [
        folder / name for name in ("notes.txt", "b.dcm", "deep/a", "deep/c")
    ]


def test_a_path_that_is_absent_is_kept_to_be_told_and_nothing_is_refused(tmp_path):
    assert find_files([tmp_path / "absent"]) == [tmp_path / "absent"]
    with pytest.raises(FileNotFoundError, match="PATH must name files, or folders that hold some"):
        find_files([tmp_path])


@pytest.mark.parametrize("workers", [1, 2])
def test_there_is_a_line_for_every_file_in_order(folder, workers):
    found = inspect_files(find_files([folder]), workers=workers)
    assert [(line["path"], line["rejected"]) for line in found.lines] == [
        (str(folder / "b.dcm"), None),
        (str(folder / "deep/a"), None),
        (str(folder / "deep/c"), "unknown laterality"),
        (str(folder / "notes.txt"), "not a DICOM file"),
    ]
    assert found.exit_code == 3


def test_the_summary_counts_headers_doubts_and_reasons(folder):
    assert str(inspect_files(find_files([folder]))).splitlines() == [
        "vendor and model:", "       2  Maker / M1", "       1  not stated", "",
        "transfer syntax:", "       3  Explicit VR Little Endian", "",
        "photometric interpretation:", "       3  MONOCHROME2", "",
        "presentation intent:", "       3  FOR PRESENTATION", "",
        "kind of image:", "       3  mammogram", "",
        "grey:", "       2  stretch", "       1  not stated", "",
        "view:", "       2  CC", "       1  not stated", "",
        "change of the view:", "       3  not stated", "",
        "laterality:", "       1  L", "       1  R", "       1  not stated", "",
        "implant:", "       3  not stated", "",
        "doubt:", "       1  modality is not MG",
        "       1  the chest wall lies on the side of the other breast",
        "       1  the view is unknown", "",
        "rejected:", "       1  not a DICOM file", "       1  unknown laterality", "",
        "4 files: 2 would be prepared (1 with doubts), 2 rejected",
    ]  # fmt: skip


def test_the_summary_counts_what_is_detailed_by_its_kind(tmp_path):
    view = view_code("399162004", "399163009", "399055006")
    window = {"WindowCenter": 1500, "WindowWidth": 3000}
    tags = {"ImageLaterality": "L", "BreastImplantPresent": "NO", "NumberOfFrames": 3}
    write_dicom(tmp_path / "a.dcm", IMAGE, ViewCodeSequence=view, **tags, **window)
    lines = str(inspect_files([tmp_path / "a.dcm"])).splitlines()
    for title, value in {
        "kind of image": "tomosynthesis",
        "grey": "window",
        "change of the view": "magnification, spot compression",
        "implant": "no",
        "rejected": "multi-frame image",
    }.items():
        assert lines[lines.index(f"{title}:") + 1] == f"       1  {value}"


def test_options_reach_the_preparation(folder):
    options = PreparationOptions(require_laterality=False, voi="none")
    lines = inspect_files([folder / "deep" / "c"], options).lines
    assert (lines[0]["rejected"], lines[0]["voi"]["kind"]) == (None, "none")


def test_exit_codes_are_those_of_the_preparation(folder):
    assert inspect_files([folder / "b.dcm"]).exit_code == 0
    assert inspect_files([folder / "notes.txt"]).exit_code == 1


def test_lines_and_table_hold_the_same_and_are_for_the_owner_alone(folder, tmp_path):
    found = inspect_files(find_files([folder]))
    write_inspection(found, tmp_path / "out" / "a.jsonl", tmp_path / "out" / "a.csv")
    text = (tmp_path / "out" / "a.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines == json.loads(json.dumps(found.lines))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "a.csv").read_text())))
    assert list(rows[0]) == list(FIELDS)
    for line, row in zip(lines, rows, strict=True):
        assert json.loads(row["doubts"]) == line["doubts"]
        assert json.loads(row["crop_box"] or "null") == line["crop_box"]
        assert row["path"] == line["path"]
        assert row["rows"] == str(line["rows"] or "")
    for path in (tmp_path / "out").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_pictures_are_numbered_as_the_lines_and_for_the_owner_alone(folder, tmp_path):
    found = inspect_files(find_files([folder]), preview=tmp_path / "out")
    assert [line["preview"] for line in found.lines] == [
        "00001.png", "00002.png", "00003.png", None,
    ]  # fmt: skip
    pictures = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert pictures == ["00001.png", "00002.png", "00003.png"]
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "out" / "00001.png").stat().st_mode) == 0o600


def test_a_file_that_ends_its_process_is_told(folder, monkeypatch):
    def second_dies(work, items, workers, title):
        return [work(items[0]), None]

    monkeypatch.setattr(module, "gather", second_dies)
    lines = inspect_files([folder / "b.dcm", folder / "deep" / "a"]).lines
    assert [line["rejected"] for line in lines] == [None, CRASHED]
    assert set(lines[1]) == set(FIELDS)
