"""Files of images are found wherever a download or a conversion has them."""

import pytest

from mammography.preparation.source_tables.image_folder import ImageFolder

# In the order in which they are taken.
NAMES = ["7/1.dcm", "7/1.dicom", "7/1.png", "7_1.dcm", "7_1.dicom", "7_1.png"]


@pytest.mark.parametrize("first", range(len(NAMES)))
def test_the_published_file_goes_before_others_and_folders_before_names(tmp_path, first):
    (tmp_path / "images" / "7").mkdir(parents=True)
    for name in NAMES[first:]:
        (tmp_path / "images" / name).touch()
    assert ImageFolder(tmp_path, "images", ".dcm").find("7", "1") == f"images/{NAMES[first]}"


def test_the_published_suffix_is_that_of_the_source(tmp_path):
    (tmp_path / "7").mkdir()
    for name in NAMES[:2]:
        (tmp_path / name).touch()
    assert ImageFolder(tmp_path, ".", ".dicom").find("7", "1") == "7/1.dicom"


def test_an_absent_file_keeps_its_published_path_and_a_folder_is_no_file(tmp_path):
    (tmp_path / "images" / "7" / "1.png").mkdir(parents=True)
    folder = ImageFolder(tmp_path, "images", ".dcm")
    assert folder.find("7", "1") == folder.published("7", "1") == "images/7/1.dcm"
