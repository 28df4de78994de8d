import json
import pickle
import shutil

import numpy as np
import pytest
from mmengine.dataset import ClassBalancedDataset, ConcatDataset, RepeatDataset
from mmpretrain.datasets import KFoldDataset

import mammography.datasets.transforms.load_mammogram
import mammography.datasets.transforms.pack_mammogram  # noqa: F401
from mammography.datasets.mammography_dataset import MammographyDataset

PACK = [{"type": "LoadMammogram"}, {"type": "PackMammogram"}]


def test_a_row_tells_all_that_the_annotation_knows(study):
    row = MammographyDataset(**study.settings)[2]
    assert row == {
        "img_path": f"{study.root}/images/i2.png",
        "image_id": "i2",
        "patient_id": "p1",
        "exam_id": "e1",
        "laterality": "L",
        "view_position": "CC",
        "manufacturer": None,
        "split": "train",
        "domain": None,
        "mirrored": False,
        "gt_label": {"malignant": 1.0, "size_mm": 2 / 7},
        "clinic_vars": {"age_years": 52},
        "findings": [{"box": (10, 20, 30, 40), "label": "mass", "malignant": True, "outline": ()}],
        "sample_idx": 2,
    }
    assert type(row["laterality"]) is str


def test_a_missing_label_is_an_absent_key(study):
    data = MammographyDataset(**study.settings)
    assert data[7]["gt_label"] == {"density": 3.0}
    assert data[0]["gt_label"] == {"malignant": 0.0, "size_mm": 0.0}


def test_metainfo_names_and_specifies_the_tasks(study):
    data = MammographyDataset(**study.settings, tasks=["density", "malignant"])
    assert data.metainfo == {
        "tasks": ["density", "malignant"],
        "task_specs": {
            "density": {"kind": "ordinal", "classes": ["A", "B", "C", "D"]},
            "malignant": {"kind": "binary", "classes": ["0", "1"]},
        },
    }
    assert list(data[1]["gt_label"]) == ["density", "malignant"]


def test_an_unknown_task_is_an_error_that_names_the_known_ones(study):
    with pytest.raises(ValueError, match="among malignant, density, size_mm, got stage"):
        MammographyDataset(**study.settings, tasks=["stage"])


@pytest.fixture
def published(study):
    rows = [
        {"img_path": f"images/i{i}.png", "gt_label": {"N": i % 2, "NumPos": i}, "clinic_vars": None}
        for i in range(4)
    ]
    content = {"metainfo": {"tasks": ["N", "NumPos"]}, "data_list": rows}
    (study.root / "published.json").write_text(json.dumps(content))
    return {"data_root": str(study.root), "ann_file": "published.json"}


def test_the_published_form_is_read_as_it_stands(published, study):
    data = MammographyDataset(**published)
    assert data.metainfo["task_specs"]["N"]["kind"] == "binary"
    assert data[3]["gt_label"] == {"N": 1.0, "NumPos": 3.0}
    assert data[3]["laterality"] is None


def test_a_specification_corrects_the_guessed_kind(published):
    assert MammographyDataset(**published).metainfo["task_specs"]["NumPos"]["kind"] == "multiclass"
    data = MammographyDataset(**published, tasks=["NumPos:regression"])
    assert data.metainfo["task_specs"] == {"NumPos": {"kind": "regression"}}


def test_a_specification_that_the_labels_break_is_refused(published):
    with pytest.raises(ValueError, match="NumPos: label must be a class index from 0 to 1"):
        MammographyDataset(**published, tasks=["NumPos:binary"])


def test_images_may_lie_below_a_prefix_or_at_an_absolute_path(published, study, tmp_path):
    shutil.move(study.root / "images", study.root / "png" / "images")
    data = MammographyDataset(**published, data_prefix="png")
    assert data[0]["img_path"] == f"{study.root}/png/images/i0.png"
    rows = [{"img_path": f"{study.root}/png/images/i1.png", "gt_label": {}}]
    content = {"metainfo": {"tasks": []}, "data_list": rows}
    (tmp_path / "absolute.json").write_text(json.dumps(content))
    data = MammographyDataset(str(tmp_path / "absolute.json"), data_root="/elsewhere")
    assert data[0]["img_path"] == rows[0]["img_path"]


def test_shuffled_labels_are_the_same_labels_on_other_images(study):
    plain = [row["gt_label"] for row in MammographyDataset(**study.settings)]
    shuffled = MammographyDataset(**study.settings, shuffle_labels=1)
    again = MammographyDataset(**study.settings, shuffle_labels=1)
    labels = [row["gt_label"] for row in shuffled]
    assert labels != plain
    assert sorted(map(str, labels)) == sorted(map(str, plain))
    assert labels == [row["gt_label"] for row in again]


def test_labels_of_one_side_are_flipped_and_no_others(study):
    noise = {"task": "malignant", "by": "laterality", "value": "R", "prob": 1.0}
    plain = MammographyDataset(**study.settings)
    flipped = MammographyDataset(**study.settings, flip_labels=noise)
    for before, after in zip(plain, flipped, strict=True):
        known = "malignant" in before["gt_label"]
        changed = before["gt_label"] != after["gt_label"]
        assert changed == (known and before["laterality"] == "R")
    with pytest.raises(ValueError, match="without what needs labels, got flip_labels"):
        MammographyDataset(**study.settings, unlabelled=True, flip_labels=noise)


def test_records_are_kept_by_field(study):
    data = MammographyDataset(
        **study.settings, filter_cfg={"split": "train", "view_position": ["MLO", "ML"]}
    )
    assert [row["image_id"] for row in data] == ["i4", "i5"]


def test_unlabelled_records_can_be_left_out(study):
    data = MammographyDataset(**study.settings, tasks=["malignant"], labelled_only=True)
    assert [row["image_id"] for row in data] == [f"i{i}" for i in range(7)]


def test_all_images_belong_to_the_named_domain(study):
    data = MammographyDataset(**study.settings, domain="source", pipeline=PACK)
    assert {row["domain"] for row in MammographyDataset(**study.settings, domain="source")} == {
        "source"
    }
    assert data[3]["data_samples"].domain == "source"


def test_a_record_may_tell_its_domain_by_which_a_file_is_parted(study):
    path = study.root / study.settings["ann_file"]
    content = json.loads(path.read_text())
    for i, row in enumerate(content["data_list"][:6]):
        row["clinic_vars"]["domain"] = ["source", "target"][i % 2]
    path.write_text(json.dumps(content))
    assert [row["domain"] for row in MammographyDataset(**study.settings)] == [
        *["source", "target"] * 3,
        None,
        None,
    ]
    target = MammographyDataset(
        **study.settings, filter_cfg={"domain": "target"}, unlabelled=True, pipeline=PACK
    )
    assert [data["data_samples"].image_id for data in target] == ["i1", "i3", "i5"]
    assert {data["data_samples"].domain for data in target} == {"target"}
    named = MammographyDataset(**study.settings, domain="elsewhere")
    assert named[0]["domain"] == "elsewhere"


def test_without_labels_nothing_that_tells_one_reaches_the_model(study):
    plain = MammographyDataset(**study.settings)
    data = MammographyDataset(**study.settings, unlabelled=True)
    assert data.metainfo == plain.metainfo
    for blank, row in zip(data, plain, strict=True):
        assert blank == row | {"gt_label": {}, "findings": []}
    data = MammographyDataset(**study.settings, unlabelled=True, pipeline=PACK)
    assert all(item["data_samples"].gt_targets == {} for item in data)


def test_a_target_that_never_heard_of_a_task_joins_a_source(study, published):
    tasks = ["malignant:binary", "density:ordinal=A,B,C,D"]
    source = MammographyDataset(**study.settings, tasks=tasks, domain="source")
    target = MammographyDataset(**published, tasks=tasks, domain="target", unlabelled=True)
    both = ConcatDataset([source, target])
    assert [row["domain"] for row in both] == ["source"] * 8 + ["target"] * 4
    with pytest.raises(ValueError, match=r"tasks must be among N, NumPos, got malignant$"):
        MammographyDataset(**published, tasks=tasks)
    with pytest.raises(ValueError, match=r"state its kind, e\.g\. malignant:binary"):
        MammographyDataset(**published, tasks=["malignant"], unlabelled=True)


@pytest.mark.parametrize(
    "needs", [{"labelled_only": True}, {"balance_by": "density"}, {"shuffle_labels": 0}]
)
def test_what_needs_labels_cannot_do_without_them(study, needs):
    with pytest.raises(ValueError, match=f"what needs labels, got {next(iter(needs))}"):
        MammographyDataset(**study.settings, unlabelled=True, **needs)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"filter_cfg": {"split": ["test"]}}, r"image with split in \['test'\], got none among 8"),
        ({"filter_cfg": {"vendor": ["x"]}}, "filter_cfg must name fields among .*, got vendor"),
        ({"balance_by": "size_mm"}, r"classes \(malignant, density\), got size_mm"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(study, settings, message):
    with pytest.raises(ValueError, match=message):
        MammographyDataset(**study.settings, **settings)


def test_missing_images_are_found_at_construction(study):
    (study.root / "images/i3.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"1 are missing, the first is .*i3\.png"):
        MammographyDataset(**study.settings)
    shutil.rmtree(study.root / "images")
    with pytest.raises(FileNotFoundError, match=r"images is missing.*run tools/prepare_dataset"):
        MammographyDataset(**study.settings)
    (study.root / "images").mkdir()
    with pytest.raises(FileNotFoundError, match=r"images is empty.*run tools/prepare_dataset"):
        MammographyDataset(**study.settings)


@pytest.mark.parametrize("test_mode", [False, True])
def test_an_unreadable_image_is_an_error_that_names_it(study, test_mode):
    data = MammographyDataset(
        **study.settings, pipeline=[{"type": "LoadMammogram"}], test_mode=test_mode
    )
    path = study.root / "images/i4.png"
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"i4\.png: image must be readable"):
        data[4]
    assert data[5]["image_id"] == "i5"


def test_a_pipeline_without_result_is_an_error_that_names_the_image(study):
    data = MammographyDataset(**study.settings, pipeline=[lambda results: None])
    with pytest.raises(ValueError, match=r"i1\.png: the pipeline must return a sample"):
        data[1]


@pytest.mark.parametrize("serialize_data", [True, False])
def test_subsets_and_late_initialisation_work_as_in_mmengine(study, serialize_data):
    data = MammographyDataset(**study.settings, serialize_data=serialize_data, lazy_init=True)
    assert "tasks" not in data.metainfo
    data.full_init()
    assert len(data) == 8
    assert data.metainfo["tasks"] == ["malignant", "density", "size_mm"]
    assert [row["image_id"] for row in data.get_subset([5, 1])] == ["i5", "i1"]
    first = MammographyDataset(**study.settings, indices=3, serialize_data=serialize_data)
    assert len(first) == 3
    assert pickle.loads(pickle.dumps(data))[6] == data[6]


def test_the_wrappers_of_mmengine_and_mmpretrain_work(study):
    data = MammographyDataset(**study.settings, tasks=["malignant"])
    assert RepeatDataset(data, times=3)[17]["image_id"] == "i1"
    both = ConcatDataset([data, data])
    assert both[9]["image_id"] == "i1"
    assert both.metainfo == data.metainfo
    folds = [
        KFoldDataset(
            {"type": "MammographyDataset", **study.settings}, fold=i, num_splits=4, test_mode=True
        )
        for i in range(4)
    ]
    assert sorted(row["image_id"] for fold in folds for row in fold) == [f"i{i}" for i in range(8)]


def test_class_balancing_repeats_the_rare_class_of_the_task(study):
    data = MammographyDataset(**study.settings, balance_by="malignant")
    np.random.seed(0)  # noqa: NPY002
    balanced = ClassBalancedDataset(data, oversample_thr=1.0)
    drawn = [row["image_id"] for row in balanced]
    # A quarter of the images is malignant, so each appears sqrt(1 / 0.25) = 2 times.
    assert drawn.count("i2") == drawn.count("i5") == 2
    assert drawn.count("i7") == 1  # without a label


def test_class_balancing_without_a_chosen_task_is_refused(study):
    with pytest.raises(ValueError, match="balance_by must name the task"):
        MammographyDataset(**study.settings).get_cat_ids(0)
