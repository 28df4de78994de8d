import cv2
import numpy as np
import pytest
from PIL import Image

from mammography.apis.browsing import write_pipeline_sheet
from mammography.apis.config import UsageError
from mammography.functional.png16 import encode_png16
from mammography.structures.annotation import (
    Annotations,
    Finding,
    ImageRecord,
    write_annotations,
)
from mammography.structures.task import parse_tasks

SIZE_HW = (320, 160)
LESION = (60, 200, 90, 240)
ORANGE = (213, 94, 0)


@pytest.fixture
def data_root(tmp_path):
    """Three grey breasts with one bright box, which is also their finding."""
    (tmp_path / "images").mkdir()
    for number in range(3):
        pixels = np.full(SIZE_HW, 16384, np.uint16)
        cv2.rectangle(pixels, LESION[:2], (LESION[2] - 1, LESION[3] - 1), 65535, -1)
        (tmp_path / "images" / f"{number}.png").write_bytes(encode_png16(pixels))
    records = tuple(
        ImageRecord(
            f"images/{n}.png",
            "p",
            image_id=f"i{n}",
            size_hw=SIZE_HW,
            findings=(Finding(tuple(map(float, LESION)), "mass", True),),
        )
        for n in range(3)
    )
    path = tmp_path / "annotations" / "train.json"
    write_annotations(path, Annotations(parse_tasks(["malignant:binary"]), records, "study"))
    return tmp_path


@pytest.fixture
def config(data_root):
    def write(*transforms, loader="train_dataloader"):
        steps = [{"type": "LoadMammogram"}, *transforms, {"type": "PackMammogram"}]
        dataset = {
            "type": "MammographyDataset",
            "data_root": str(data_root),
            "ann_file": "annotations/train.json",
            "pipeline": steps,
        }
        path = data_root / "config.py"
        path.write_text(f"default_scope = 'mmpretrain'\n{loader} = dict(dataset={dataset!r})\n")
        return path

    return write


def pictures(path, columns):
    """Cut the tiles of one row out of a sheet, without their text."""
    sheet = np.asarray(Image.open(path).convert("RGB"))
    return [sheet[62 : 62 + 340, 10 + 250 * n : 250 + 250 * n] for n in range(columns)]


def test_a_row_shows_the_image_and_as_many_versions_as_asked_for(config, tmp_path):
    sizes = []
    for versions in (3, 5):
        out = tmp_path / "sheet.png"
        shown = write_pipeline_sheet(config(), out, limit=2, versions=versions)
        assert shown == 2
        sizes.append(Image.open(out).size)
    assert sizes[1][0] - sizes[0][0] == 2 * 250
    assert sizes[1][1] == sizes[0][1]


def test_grey_is_shown_as_the_network_gets_it(config, tmp_path):
    darker = {"type": "AdjustGamma", "magnitude": 1.0, "prob": 1.0, "random_negative_prob": 0.0}
    out = tmp_path / "sheet.png"
    write_pipeline_sheet(config(darker), out, limit=1, versions=1)
    before, after = (np.median(picture[100:120, 110:130]) for picture in pictures(out, 2))
    assert before == pytest.approx(255 / 4, abs=1)
    assert after == pytest.approx(255 / 16, abs=1)


def test_an_outline_moves_as_the_pixels_do(config, tmp_path):
    turned = {
        "type": "RandomAffineWarp",
        "size_hw": list(SIZE_HW),
        "flip_prob": 1.0,
    }
    out = tmp_path / "sheet.png"
    write_pipeline_sheet(config(turned), out, limit=1, versions=1, findings=True)
    centres = []
    for picture in pictures(out, 2):
        lesion = np.argwhere((picture > 250).all(-1) & (np.indices(picture.shape[:2])[0] > 20))
        lesion = lesion[(lesion[:, 1] > 45) & (lesion[:, 1] < 195)]
        outline = np.argwhere((picture == ORANGE).all(-1))
        assert len(outline) > 20
        np.testing.assert_allclose(
            (outline.min(0) + outline.max(0)) / 2, (lesion.min(0) + lesion.max(0)) / 2, atol=1.5
        )
        centres.append(outline.mean(0)[1])
    assert sum(centres) == pytest.approx(240, abs=3)  # Mirrored.


def test_the_same_seed_draws_the_same_sheet(config, tmp_path):
    noise = {"type": "AddGaussianNoise", "magnitude": 0.1, "prob": 1.0}
    sheets = []
    for seed in (0, 0, 1):
        write_pipeline_sheet(config(noise), tmp_path / "sheet.png", seed=seed, versions=2)
        sheets.append((tmp_path / "sheet.png").read_bytes())
    assert sheets[0] == sheets[1] != sheets[2]


def test_what_cannot_be_drawn_is_said(config, tmp_path):
    path = config(loader="val_dataloader")
    with pytest.raises(UsageError, match="has no train_dataloader"):
        write_pipeline_sheet(path, tmp_path / "sheet.png")
    with pytest.raises(ValueError, match="versions must be at least 1, got 0"):
        write_pipeline_sheet(path, tmp_path / "sheet.png", split="val", versions=0)
