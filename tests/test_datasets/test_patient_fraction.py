import json

import pytest

from mammography.datasets.mammography_dataset import MammographyDataset


@pytest.fixture
def screened(study):
    """Twelve patients of four images: every third has cancer, half are of another vendor."""
    path = study.root / "annotations/train.json"
    content = json.loads(path.read_text())
    row = content["data_list"][0]
    content["data_list"] = [
        row
        | {
            "patient_id": f"p{patient}",
            "image_id": f"i{patient}-{image}",
            "gt_label": {"malignant": float(patient % 3 == 0 and image < 2)},
            "clinic_vars": {"site": "AB"[patient % 2]},
            "split": "val" if patient > 11 else "train",
        }
        for patient in range(16)
        for image in range(4)
    ]
    path.write_text(json.dumps(content))
    return study.settings | {"filter_cfg": {"split": "train"}}


def patients(settings, **fraction):
    data = MammographyDataset(**settings, fraction=fraction)
    return [data.get_data_info(i) for i in range(len(data))]


def test_a_fraction_keeps_whole_patients_like_all_of_them(screened):
    rows = patients(screened, of_patients=0.5, strata=("malignant", "site"), seed=1)
    kept = {row["patient_id"] for row in rows}
    assert len(rows) == 4 * len(kept) == 24
    assert {row["split"] for row in rows} == {"train"}
    cancer = {row["patient_id"] for row in rows if row["gt_label"]["malignant"]}
    assert len(cancer) == 2  # of four
    assert sorted(int(p[1:]) % 2 for p in kept) == [0, 0, 0, 1, 1, 1]
    assert "strata" not in rows[0]


def test_a_label_whose_task_was_not_chosen_still_divides(screened):
    rows = patients(screened | {"tasks": ["density"]}, of_patients=0.5, strata=["malignant"])
    assert sum(int(p[1:]) % 3 == 0 for p in {row["patient_id"] for row in rows}) == 2
    assert all("malignant" not in row["gt_label"] for row in rows)


@pytest.mark.parametrize(
    ("fraction", "message"),
    [
        ({"of_patients": 0}, r"of_patients must lie in \(0, 1\].*got 0"),
        ({"of_patients": 0.5, "strata": "malignant"}, "strata be several names, got 0.5 and 'mal"),
        ({"of_patients": 0.5, "strata": ["ethnicity"]}, "got ethnicity, which none of them has"),
    ],
)
def test_what_does_not_fit_is_refused(screened, fraction, message):
    with pytest.raises(ValueError, match=message):
        patients(screened, **fraction)


def test_labels_may_not_choose_the_images_of_an_unlabelled_set(screened):
    fraction = {"of_patients": 0.5, "strata": ["malignant"]}
    with pytest.raises(ValueError, match=r"unlabelled must stand .* got fraction"):
        MammographyDataset(**screened, unlabelled=True, fraction=fraction)
    MammographyDataset(**screened, unlabelled=True, fraction={"of_patients": 0.5})


def test_an_image_without_a_patient_is_named(screened, study):
    path = study.root / "annotations/train.json"
    content = json.loads(path.read_text())
    del content["data_list"][5]["patient_id"]
    path.write_text(json.dumps(content))
    with pytest.raises(
        ValueError, match=r"must know the patient of every image, got none for .*i0"
    ):
        patients(screened, of_patients=0.5)
