import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import mammography.datasets.transforms.adjust_brightness
import mammography.datasets.transforms.adjust_gamma  # noqa: F401
from mammography.datasets.transforms import augment_by_label
from mammography.datasets.transforms.augment_by_label import AugmentByLabel

IMAGE = np.random.default_rng(0).random((8, 6), dtype=np.float32) * 0.5 + 0.2


def brighten(magnitude, prob=0.5):
    return {"type": "AdjustBrightness", "magnitude": magnitude, "prob": prob}


def changes(transform, label, times=200):
    """Return by how much the mean of an image changes, time after time."""
    np.random.seed(0)  # noqa: NPY002
    results = [
        transform({"img": IMAGE.copy(), "gt_label": {} if label is None else {"malignant": label}})
        for _ in range(times)
    ]
    return np.array([abs(float(r["img"].mean() / IMAGE.mean()) - 1) for r in results])


def leak(transform):
    """ROC-AUC of a reader who sees only whether an image was changed."""
    ill, healthy = (changes(transform, label) > 1e-6 for label in (1.0, 0.0))
    return roc_auc_score([1] * len(ill) + [0] * len(healthy), [*ill, *healthy])


def test_positives_are_augmented_more_strongly_with_the_same_family():
    transform = AugmentByLabel("malignant", [brighten(0.4)], [brighten(0.1)])
    ill, healthy = changes(transform, 1.0), changes(transform, 0.0)
    assert ill[ill > 1e-6] == pytest.approx(0.4, abs=1e-3)
    assert healthy[healthy > 1e-6] == pytest.approx(0.1, abs=1e-3)
    assert changes(transform, None) == pytest.approx(healthy)


def test_as_published_the_augmentation_alone_tells_the_label_and_the_log_warns(monkeypatch):
    said = []
    monkeypatch.setattr(augment_by_label, "print_log", lambda text, **kw: said.append((text, kw)))
    published = AugmentByLabel("malignant", [brighten(0.4, prob=1.0)])
    assert leak(published) == 1
    assert not changes(published, 0.0).any()
    ((text, kw),) = said
    assert "the augmentation tells the label" in text
    assert kw["level"] == augment_by_label.logging.WARNING


def test_one_family_for_both_classes_does_not_tell_the_label_by_being_there(monkeypatch):
    said = []
    monkeypatch.setattr(augment_by_label, "print_log", lambda *args, **_: said.append(args))
    shared = AugmentByLabel("malignant", [brighten(0.4)], [brighten(0.1)])
    assert leak(shared) == pytest.approx(0.5, abs=0.07)
    assert not said


def test_several_steps_run_in_order():
    steps = [brighten(0.4, prob=1.0), {"type": "AdjustGamma", "magnitude": 0.3, "prob": 1.0}]
    assert len(AugmentByLabel("malignant", steps).positive.transforms) == 2
    assert changes(AugmentByLabel("malignant", steps), 1.0, 4).all()


@pytest.mark.parametrize(
    ("positive", "other", "message"),
    [
        ([], None, "positive must have transforms, got none"),
        (
            [brighten(0.4)],
            [{"type": "AdjustGamma"}],
            r"must have the types of positive \(AdjustBrightness\), got AdjustGamma",
        ),
        ([brighten(0.4)], [], "got none: what one class alone goes through tells it"),
    ],
)
def test_what_would_tell_the_label_or_do_nothing_is_refused(positive, other, message):
    with pytest.raises(ValueError, match=message):
        AugmentByLabel("malignant", positive, other)


def test_an_image_without_labels_by_task_is_named():
    transform = AugmentByLabel("malignant", [brighten(0.4)], [brighten(0.1)])
    with pytest.raises(ValueError, match=r"a\.png: AugmentByLabel must know labels .* gt_label=1"):
        transform({"img": IMAGE, "img_path": "a.png", "gt_label": 1})
