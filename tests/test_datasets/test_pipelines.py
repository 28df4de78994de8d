"""From files on disk to what a model takes, through the pipelines that the configs use."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpretrain.registry import MODELS, TRANSFORMS

import mammography.plugin  # noqa: F401
from mammography.functional.affine_ranges import AffineRanges

PIPELINES = Path(__file__).parents[2] / "configs/_base_/datasets/pipelines"


def loader(dataset, workers=0, collate="default_collate", batch_size=4):
    return Runner.build_dataloader(
        {
            "batch_size": batch_size,
            "num_workers": workers,
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "collate_fn": {"type": collate},
            "dataset": dataset,
        },
        seed=0,
    )


def images(study, pipeline):
    return {"type": "MammographyDataset", **study.settings, "pipeline": pipeline}


def preprocess(kind, batch):
    normalise = {"type": kind, "mean": [0.5], "std": [0.5], "to_rgb": False}
    return MODELS.build(normalise)(batch, training=True)


@pytest.mark.parametrize("collate", ["default_collate", "pseudo_collate"])
@pytest.mark.parametrize("name", ["full-breast_1792x1024", "roi_500"])
def test_supervised_pipelines_reach_the_model(study, name, collate):
    cfg = Config.fromfile(PIPELINES / f"{name}.py")
    size = tuple(cfg.test_pipeline[1].size_hw)
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
        batch = next(iter(loader(images(study, pipeline), collate=collate, batch_size=2)))
        assert list(batch) == ["inputs", "data_samples"]
        batch = preprocess("ClsDataPreprocessor", batch)
        assert batch["inputs"].shape == (2, 1, *size)
        assert batch["inputs"].dtype == torch.float32
        assert -1 == batch["inputs"].min() < batch["inputs"].max() <= 1
        sample = batch["data_samples"][1]
        assert sample.gt_targets == {"malignant": 0.0, "density": 1.0, "size_mm": 1 / 7}
        assert (sample.image_id, sample.laterality, sample.split) == ("i1", "R", "train")
        assert sample.ori_shape == (160, 100)
        assert sample.img_shape == size
        assert sample.warp_matrix.shape == (2, 3)


def test_the_test_pipeline_shows_the_central_1792_x_1024_of_2048_x_1152(study):
    cfg = Config.fromfile(PIPELINES / "full-breast_1792x1024.py")
    batch = next(iter(loader(images(study, cfg.test_pipeline))))
    matrix = batch["data_samples"][0].warp_matrix
    x, y = np.array([64, 1088]) / 1152 * 100, np.array([128, 1920]) / 2048 * 160
    np.testing.assert_allclose(matrix @ (x[0], y[0], 1), (0, 0), atol=1e-9)
    np.testing.assert_allclose(matrix @ (x[1], y[1], 1), (1024, 1792))


@pytest.mark.parametrize("name", ["full-breast_1792x1024", "roi_500"])
def test_the_augmentation_is_as_strong_as_the_published_one(name):
    """MMPreTrain reads level 6 of (-20, 20) as 4 degrees."""
    level = {"magnitude_level": 6, "magnitude_std": 0.5}
    kinds = {"Rotate": 20, "Brightness": 0.25, "Sharpness": 0.25}
    published = {
        kind: TRANSFORMS.build({"type": kind, "magnitude_range": (-most, most), **level})
        for kind, most in kinds.items()
    }
    warp, augment = Config.fromfile(PIPELINES / f"{name}.py").train_pipeline[1:3]
    np.random.seed(0)  # noqa: NPY002

    def spread(draw):
        return np.sqrt(np.mean([draw() ** 2 for _ in range(2000)]))

    turn = AffineRanges(rotation_deg=warp.rotation_deg)
    rng = np.random.default_rng(0)
    theirs = spread(published["Rotate"].random_magnitude)
    assert spread(lambda: turn.draw(rng, (9, 9)).rotation_deg) == pytest.approx(theirs, rel=0.1)
    ours = [t for t in TRANSFORMS.build(augment).transforms if t.magnitude_range]
    for transform, kind in zip(ours, ["Brightness", "Sharpness"], strict=True):
        theirs = spread(published[kind].random_magnitude)
        assert spread(transform.random_magnitude) == pytest.approx(theirs, rel=0.1)


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("ssl-patch_224", [224] * 2), ("ssl-patch-multicrop_224", [224] * 2 + [96] * 6)],
)
def test_self_supervised_pipelines_reach_the_model(study, name, sizes):
    cfg = Config.fromfile(PIPELINES / f"{name}.py")
    patches = {
        "type": "BreastPatchDataset",
        **study.settings,
        "patch_size_hw": (64, 64),
        "patches_per_image": 2,
        "min_breast_fraction": 0.5,
        "pipeline": cfg.train_pipeline,
    }
    batch = preprocess("SelfSupDataPreprocessor", next(iter(loader(patches))))
    assert [view.shape for view in batch["inputs"]] == [(4, 1, size, size) for size in sizes]
    first, second = batch["inputs"][:2]
    assert not torch.equal(first, second)
    assert all(view.abs().max() <= 1 for view in batch["inputs"])
    assert [sample.image_id for sample in batch["data_samples"]] == ["i0", "i0", "i1", "i1"]


def test_views_of_test_time_augmentation_are_mirrored(study):
    pipeline = [
        {"type": "LoadMammogram"},
        {
            "type": "TestTimeAug",
            "transforms": [
                [{"type": "AffineResize", "size_hw": (64, 40), "flip": f} for f in (False, True)],
                [{"type": "PackMammogram"}],
            ],
        },
    ]
    batch = next(iter(loader(images(study, pipeline), collate="pseudo_collate")))
    plain, mirrored = (torch.stack(view) for view in batch["inputs"])
    np.testing.assert_allclose(mirrored, plain.flip(-1), atol=1e-6)


def test_depth_survives_the_whole_pipeline(study):
    pipeline = Config.fromfile(PIPELINES / "roi_500.py").test_pipeline
    batch = next(iter(loader(images(study, pipeline))))
    assert all(view.unique().numel() > 10_000 for view in batch["inputs"])


def test_an_unreadable_image_stops_a_loading_worker_with_its_name(study):
    pipeline = Config.fromfile(PIPELINES / "roi_500.py").train_pipeline
    batches = iter(loader(images(study, pipeline), workers=1, batch_size=8))
    (study.root / "images/i2.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"i2\.png: image must be readable"):
        next(batches)
    batches._shutdown_workers()  # left to the garbage collector, it takes 5 seconds


def test_the_published_scaling_of_the_domain_shift_study_counts_the_background():
    """The darkest tissue stays above it."""
    cfg = Config.fromfile(PIPELINES / "full-breast_2944x1920.py")
    image = np.float32([[0, 0.2], [0.3, 0.4]])
    for pipeline in (cfg.train_pipeline, cfg.test_pipeline):
        stretch = next(TRANSFORMS.build(t) for t in pipeline if t.type == "StretchContrast")
        np.testing.assert_allclose(stretch({"img": image})["img"], image / 0.4, rtol=1e-6)
