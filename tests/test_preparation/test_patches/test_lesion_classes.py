import pytest

from mammography.preparation.patches.lesion_classes import (
    CLASSES,
    LESION_TASK,
    NoClassError,
    class_of,
)
from mammography.preparation.source_tables.inbreast_rois import KINDS
from mammography.preparation.source_tables.vindr_mammo_findings import CATEGORIES
from mammography.structures.annotation import Finding
from mammography.structures.task import Task

BOX = (0.0, 0.0, 9.0, 9.0)


def test_the_five_classes_have_the_published_order():
    spec = "lesion:multiclass=background,malignant_calcification,benign_calcification,"
    assert Task.parse(f"{spec}malignant_mass,benign_mass") == LESION_TASK


@pytest.mark.parametrize(
    ("label", "malignant", "name"),
    [
        ("calcification", True, "malignant_calcification"),
        ("calcification", False, "benign_calcification"),
        ("mass", True, "malignant_mass"),
        ("mass", False, "benign_mass"),
        ("spiculated region", True, "malignant_mass"),
        ("calcification cluster", False, "benign_calcification"),
        ("suspicious_calcification", True, "malignant_calcification"),
    ],
)
def test_kind_and_malignancy_give_the_class(label, malignant, name):
    assert CLASSES[class_of(Finding(BOX, label, malignant))] == name


def test_what_a_finding_says_wins_over_its_image():
    assert CLASSES[class_of(Finding(BOX, "mass", False), 1.0)] == "benign_mass"
    assert CLASSES[class_of(Finding(BOX, "mass"), 1.0)] == "malignant_mass"


def test_findings_without_a_class_say_why():
    with pytest.raises(NoClassError, match="not known whether malignant"):
        class_of(Finding(BOX, "mass"))
    with pytest.raises(NoClassError, match="neither mass nor calcification"):
        class_of(Finding(BOX, "asymmetry", True))


def test_every_mass_and_calcification_of_the_sources_is_known():
    """And nothing that a source calls by another name is missed in silence."""
    for label, kind in KINDS.items():
        if kind in ("mass", "calcification"):
            assert kind in CLASSES[class_of(Finding(BOX, label, True))]
    known = set()
    for label in CATEGORIES.values():
        try:
            known.add((label, CLASSES[class_of(Finding(BOX, label, True))]))
        except NoClassError:
            continue
    assert known == {
        ("mass", "malignant_mass"),
        ("suspicious_calcification", "malignant_calcification"),
    }
