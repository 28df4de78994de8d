from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage, stats

import mammography.datasets.transforms.pack_mammogram
import mammography.datasets.transforms.random_affine_warp  # noqa: F401
from mammography.datasets import patch_dataset
from mammography.datasets.patch_dataset import BreastPatchDataset, draw_breast_patch
from mammography.datasets.transforms.load_mammogram import read_mammogram
from mammography.functional.pixel_cache import encode_pixels
from mammography.functional.png16 import encode_png16
from mammography.structures.pixel_cache import cache_path, png_checksum

SIZE = (32, 24)


def patches(study, **settings):
    return BreastPatchDataset(
        **{**study.settings, "patch_size_hw": SIZE, "patches_per_image": 3, **settings}
    )


def test_a_patch_is_a_piece_of_its_image_with_enough_breast(study):
    data = patches(study, min_breast_fraction=0.9)
    assert len(data) == 24
    for i, sample in enumerate(data):
        left, top, right, bottom = sample["patch_box"]
        image = study.images[i // 3]
        assert sample["image_id"] == f"i{i // 3}"
        assert np.array_equal(np.round(sample["img"] * 65535), image[top:bottom, left:right])
        assert (sample["img"] > 0).mean() == sample["breast_fraction"] >= 0.9
        assert sample["img"].dtype == np.float32
        assert sample["ori_shape"] == (160, 100)
        assert sample["img_shape"] == SIZE


def boxes(data):
    return [sample["patch_box"] for sample in data]


def test_every_epoch_draws_new_patches_that_a_seed_of_the_run_repeats(study):
    data = patches(study)
    np.random.seed(0)  # noqa: NPY002
    epochs = [boxes(data), boxes(data)]
    assert epochs[0] != epochs[1]
    assert len(set(epochs[0][:3])) == 3
    np.random.seed(0)  # noqa: NPY002
    assert [boxes(data), boxes(data)] == epochs


def test_a_seed_of_the_data_set_fixes_the_patches(study):
    fixed = boxes(patches(study, seed=7))
    assert boxes(patches(study, seed=7)) == fixed
    assert boxes(patches(study, seed=8)) != fixed


def test_patches_of_cached_pixels_are_those_of_the_png(study):
    data = patches(study, seed=7)
    for info in data.load_data_list()[::3]:
        png = Path(info["img_path"])
        image = read_mammogram(str(png))
        cached = cache_path(png, "blosc")
        cached.parent.mkdir(exist_ok=True)
        cached.write_bytes(encode_pixels(image, "blosc", png_checksum(png)))
    quick = patches(study, seed=7, cache="blosc")
    for plain, sample in zip(data, quick, strict=True):
        assert np.array_equal(plain["img"], sample["img"])
    cached.unlink()
    with pytest.raises(FileNotFoundError, match="blosc does not exist: run tools/prepare_dataset"):
        list(quick)


def test_patches_are_uniform_among_those_with_enough_breast():
    image = np.zeros((14, 12), np.uint8)
    image[2:12, :7] = 1
    share = ndimage.uniform_filter(image.astype(float), (6, 4), mode="constant")[3:-2, 2:-1]
    allowed = {(x, y) for y, x in zip(*np.nonzero(share > 0.75 - 1e-9), strict=True)}
    rng = np.random.default_rng(0)
    drawn = [draw_breast_patch(image, (6, 4), 0.75, rng)[1][:2] for _ in range(4000)]
    assert set(drawn) == allowed
    counts = [drawn.count(corner) for corner in allowed]
    assert stats.chisquare(counts).pvalue > 0.01


def test_the_rare_place_with_enough_breast_is_found():
    image = np.zeros((300, 300), np.uint16)
    image[200:210, 150:160] = 9
    for seed in range(5):
        _, box, fraction = draw_breast_patch(image, (10, 10), 1.0, np.random.default_rng(seed))
        assert (box, fraction) == ((150, 200, 160, 210), 1.0)


def test_too_small_a_breast_gives_its_fullest_patch_and_one_warning(study, monkeypatch):
    said = []
    monkeypatch.setattr(patch_dataset, "print_log", lambda text, **_: said.append(text))
    image = np.zeros((100, 100), np.uint16)
    image[40:50, 60:70] = 1
    (study.root / "images/i0.png").write_bytes(encode_png16(image))
    for sample in patches(study, indices=2):
        assert sample["breast_fraction"] == 100 / (32 * 24)
    (text,) = said
    assert "i0.png: no patch of size (32, 24) holds 80% breast, one with 13% is used" in text


def test_an_image_smaller_than_the_patch_is_padded_on_all_sides():
    image = np.full((4, 10), 5, np.uint16)
    patch, box, fraction = draw_breast_patch(image, (8, 8), 0.9, np.random.default_rng(0))
    assert box[1::2] == (-2, 6)
    assert np.array_equal(patch[2:6], np.full((4, 8), 5))
    assert not patch[[0, 1, 6, 7]].any()
    assert fraction == 0.5


def test_all_views_show_the_same_patch(study):
    plain = [{"type": "RandomAffineWarp", "size_hw": SIZE}]
    pipeline = [
        {"type": "MultiView", "num_views": 2, "transforms": [plain]},
        {"type": "PackMammogram"},
    ]
    sample = patches(study, pipeline=pipeline)[4]
    first, second = sample["inputs"]
    assert first.shape == (1, *SIZE)
    assert np.array_equal(first, second)
    assert first.max() > 0


def test_a_list_of_files_gives_each_file_as_a_patch(study):
    (study.root / "patches.txt").write_text("images/i3.png\n\nimages/i1.png\n")
    data = BreastPatchDataset("patches.txt", data_root=str(study.root))
    assert len(data) == 2
    assert np.array_equal(np.round(data[0]["img"] * 65535), study.images[3])
    assert data[1]["img_path"].endswith("images/i1.png")
    assert data.metainfo == {"tasks": [], "task_specs": {}}
    drawn = BreastPatchDataset("patches.txt", data_root=str(study.root), patch_size_hw=SIZE)
    assert drawn[0]["img"].shape == SIZE


def test_a_missing_patch_file_is_found_at_construction(study):
    (study.root / "patches.txt").write_text("images/i3.png\nimages/none.png\n")
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        BreastPatchDataset("patches.txt", data_root=str(study.root))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"patch_size_hw": (0, 5)}, "patch_size_hw must be"),
        ({"patch_size_hw": None}, "patches_per_image must be at least 1, and 1 without"),
        ({"patches_per_image": 0}, "patches_per_image must be at least 1"),
        ({"min_breast_fraction": 80}, "min_breast_fraction must lie between 0 and 1, got 80"),
        ({"pipeline": [{"type": "LoadMammogram"}]}, "pipeline must not load"),
    ],
)
def test_a_wrong_setting_is_refused_at_construction(study, settings, message):
    with pytest.raises(ValueError, match=message):
        patches(study, **settings)


def test_an_unreadable_image_is_an_error_that_names_it(study):
    data = patches(study)
    (study.root / "images/i1.png").write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"i1\.png: image must be readable"):
        data[3]


def test_labels_travel_along_when_asked_for(study):
    assert patches(study)[6]["gt_label"] == {}
    assert patches(study, tasks=["malignant"])[6]["gt_label"] == {"malignant": 1.0}
