"""Which files of a download a path of a table may mean."""

import pytest

from mammography.preparation.source_tables.tcia import TciaDownload

STUDY, SERIES, OTHER = "1.2.3.4.11111", "1.2.3.5.22222", "0.9.1.1.33333"
PATH = f"Case_1/{STUDY}/{SERIES}/000001.dcm"


def touch(root, *paths):
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


@pytest.mark.parametrize("top", ["", "CBIS-DDSM/", "deep/er/"])
@pytest.mark.parametrize(
    "series", [f"{STUDY}/{SERIES}", "08-29-2017-DDSM-NA-11111/1.000000-ROI mask images-22222"]
)
def test_files_of_the_series_come_before_others_of_the_patient(tmp_path, top, series):
    series = f"{top}Case_1/{series}"
    other = f"{top}Case_1/{OTHER}/{OTHER}/1-1.dcm"
    touch(tmp_path, f"{series}/1-1.dcm", f"{series}/1-2.dcm", other, f"{series}/LICENSE")
    touch(tmp_path, f"{top}Case_2/{STUDY}/{SERIES}/1-1.dcm")
    found = TciaDownload(tmp_path, ["Case_1"]).candidates(PATH)
    assert found == (f"{series}/1-1.dcm", f"{series}/1-2.dcm", other)


def test_the_path_itself_comes_first(tmp_path):
    touch(tmp_path, PATH, PATH.replace("000001", "000000"))
    assert TciaDownload(tmp_path, ["Case_1"]).candidates(PATH) == (
        PATH,
        PATH.replace("000001", "000000"),
    )


def test_a_patient_without_files_has_no_candidates(tmp_path):
    assert TciaDownload(tmp_path, ["Case_1"]).candidates(PATH) == ()


def test_two_downloads_are_an_error(tmp_path):
    touch(tmp_path, f"a/{PATH}", f"b/{PATH}")
    with pytest.raises(ValueError, match="must hold one folder Case_1 with DICOM files, got 2"):
        TciaDownload(tmp_path, ["Case_1"]).candidates(PATH)
