from dataclasses import replace

import numpy as np
import pytest
import torch

import mammography.datasets.transforms.affine_resize
import mammography.datasets.transforms.load_mammogram
import mammography.datasets.transforms.pack_mammogram  # noqa: F401
from mammography.datasets.exam_dataset import ExamDataset
from mammography.datasets.mammography_dataset import MammographyDataset
from mammography.structures.annotation import Annotations, read_annotations, write_annotations
from phantoms import prepared_png_study

PIPELINE = [
    {"type": "LoadMammogram"},
    {"type": "AffineResize", "size_hw": (32, 24)},
    {"type": "PackMammogram"},
]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return prepared_png_study(
        tmp_path_factory.mktemp("exams"), patients=6, size_hw=(64, 52), missing_view_rate=0.4
    )


def dataset(root, **settings):
    settings = {"ann_file": "annotations/all.json", "pipeline": PIPELINE} | settings
    return ExamDataset(data_root=str(root), **settings)


def changed(root, name, change):
    """Write annotations with every record changed."""
    old = read_annotations(root / "annotations/all.json")
    path = root / "annotations" / f"{name}.json"
    write_annotations(path, Annotations(old.tasks, tuple(map(change, old.records)), "phantom"))
    return f"annotations/{name}.json"


@pytest.mark.parametrize(
    ("level", "names"),
    [
        ("breast", ("patient_id", "exam_id", "laterality")),
        ("exam", ("patient_id", "exam_id")),
        ("patient", ("patient_id",)),
    ],
)
def test_each_image_is_in_the_one_case_that_it_names(root, level, names):
    images = MammographyDataset("annotations/all.json", data_root=str(root))
    cases = dataset(root, level=level)
    told = [images.get_data_info(i) for i in range(len(images))]
    wanted = {}
    for row in told:
        wanted.setdefault(tuple(row[name] for name in names), set()).add(row["img_path"])
    found = [
        {view["img_path"] for view in cases.get_data_info(i)["views"]} for i in range(len(cases))
    ]
    assert found == list(wanted.values())


def test_a_label_is_the_highest_of_the_images(root):
    case = dataset(root, level="patient").get_data_info(0)
    for task, label in case["gt_label"].items():
        assert label == max(view["gt_label"].get(task, -1) for view in case["views"])


def test_a_label_that_one_image_lacks_comes_from_the_others(root):
    name = changed(
        root, "half", lambda r: replace(r, gt_label={}) if r.view_position == "CC" else r
    )
    case = dataset(root, ann_file=name).get_data_info(0)
    assert "malignant" in case["gt_label"]


def test_a_sample_holds_each_view_as_a_single_image_would_be(root):
    single = MammographyDataset("annotations/all.json", data_root=str(root), pipeline=PIPELINE)
    images = {
        s["data_samples"].img_path: s["inputs"] for s in (single[i] for i in range(len(single)))
    }
    cases = dataset(root)
    counts = set()
    for case in (cases[i] for i in range(len(cases))):
        views = case["data_samples"].views
        counts.add(len(views))
        assert case["inputs"].shape == (len(views), 1, 32, 24)
        for pixels, view in zip(case["inputs"], views, strict=True):
            assert torch.equal(pixels, images[view["img_path"]])
    assert counts == {3, 4}  # A view that is missing is absent, not black.


def test_views_come_in_one_order_whatever_the_file_has(root):
    order = [
        (view["laterality"], view["view_position"])
        for view in dataset(root)[0]["data_samples"].views
    ]
    assert order == sorted(order)


def test_what_the_views_disagree_about_is_not_said_of_the_case(root):
    exam, breast = (
        dataset(root)[0]["data_samples"],
        dataset(root, level="breast")[0]["data_samples"],
    )
    assert exam.laterality is None
    assert breast.laterality in ("L", "R")
    assert exam.patient_id == breast.patient_id
    assert exam.image_id is None


def test_clinical_variables_are_those_of_the_first_view_that_knows_them(root):
    def forget(record):
        known = {"age_years": 50.0, "implant": 1} if record.view_position == "MLO" else {}
        return replace(record, clinic_vars={"age_years": None} | known)

    case = dataset(root, ann_file=changed(root, "forgetful", forget))[0]["data_samples"]
    assert case.clinic_vars == {"age_years": 50.0, "implant": 1}


def test_filters_choose_images_and_indices_choose_cases(root):
    cases = dataset(root, filter_cfg={"view_position": ["CC"]}, indices=2)
    assert len(cases) == 2
    views = [view for i in range(2) for view in cases[i]["data_samples"].views]
    assert {view["view_position"] for view in views} == {"CC"}


def test_versions_of_each_view_become_versions_of_the_case(root):
    flips = [{"type": "RandomFlip", "prob": prob} for prob in (0.0, 1.0)]
    tta = {"type": "TestTimeAug", "transforms": [flips, PIPELINE[-1:]]}
    plain, mirrored = dataset(root, pipeline=[*PIPELINE[:-1], tta])[0]["inputs"]
    assert torch.equal(plain, dataset(root)[0]["inputs"])
    assert torch.equal(mirrored, plain.flip(-1))


def test_an_image_that_does_not_tell_its_exam_is_refused(root):
    name = changed(root, "nameless", lambda record: replace(record, exam_id=None))
    with pytest.raises(ValueError, match="every image must tell its exam by patient_id, exam_id"):
        dataset(root, ann_file=name)


def test_views_of_different_sizes_are_refused(root):
    rng = np.random.default_rng(0)

    class Shrink:
        def __call__(self, results):
            results["img"] = results["img"][: rng.integers(10, 60)]
            return results

    with pytest.raises(ValueError, match="must come out of the pipeline at one size"):
        dataset(root, pipeline=[PIPELINE[0], Shrink(), PIPELINE[2]])[0]


def test_another_level_is_refused(root):
    with pytest.raises(ValueError, match="level must be one of breast, exam, patient, got 'image'"):
        dataset(root, level="image")
