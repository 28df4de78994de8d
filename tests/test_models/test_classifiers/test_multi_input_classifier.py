import copy

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models import ImageClassifier
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

import mammography.plugin  # noqa: F401
from mammography.models.classifiers.multi_input_classifier import MultiInputClassifier

PARTS = {
    "backbone": {
        "type": "mmpretrain.ResNet",
        "depth": 18,
        "in_channels": 1,
        "base_channels": 4,
        "stem_channels": 4,
        "norm_cfg": {"type": "BN"},
    },
    "neck": {"type": "GlobalAveragePooling"},
}
VIEWS = [{"laterality": "L", "view_position": view} for view in ("CC", "MLO")]
FUSION = {"type": "ViewFusionNeck", "in_channels": 32, "num_heads": 4}
CLINICAL = {"type": "ClinicalEncoder", "numbers": {"age_years": {"mean": 50, "std": 10}}}


def head(channels=32, **tasks):
    tasks = tasks or {"malignant": {"kind": "binary"}}
    return {"type": "MaskedMultiTaskHead", "in_channels": channels, "tasks": tasks}


@pytest.fixture(autouse=True)
def scope():
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        yield


def build(**settings):
    torch.manual_seed(0)
    config = {"type": "MultiInputClassifier", **PARTS, "head": head()} | settings
    return MODELS.build(copy.deepcopy(config)).eval()


def case(age=None, views=2):
    sample = DataSample(metainfo={"views": VIEWS[:views], "clinic_vars": {"age_years": age}})
    sample.set_field({"malignant": 1.0}, "gt_targets", dtype=dict)
    return sample


def scores(samples):
    return torch.tensor([sample.pred_scores["malignant"] for sample in samples])


def test_with_neither_it_is_the_classifier_of_mmpretrain():
    ours = build()
    theirs = ImageClassifier(**copy.deepcopy(PARTS), head=copy.deepcopy(head())).eval()
    theirs.load_state_dict(ours.state_dict())  # The same names of weights.
    images = torch.rand(3, 1, 64, 32)
    one, other = (scores(m(images, [case() for _ in range(3)], "predict")) for m in (ours, theirs))
    assert torch.equal(one, other)
    assert torch.equal(ours(images)["malignant"], theirs(images)["malignant"])


def test_a_case_is_predicted_the_same_alone_and_in_a_batch():
    model = build(view_fusion=FUSION)
    images = torch.rand(5, 1, 64, 32)
    together = scores(model(images, [case(), case(views=1), case()], "predict"))
    alone = [
        scores(model(part, [sample], "predict"))
        for part, sample in zip(
            images.split([2, 1, 2]), [case(), case(views=1), case()], strict=True
        )
    ]
    assert together.shape == (3,)
    assert torch.allclose(together, torch.cat(alone), atol=1e-5)


def test_clinical_variables_change_the_prediction_and_their_absence_is_one_too():
    model = build(clinical=CLINICAL, head=head(34))
    images = torch.rand(1, 1, 64, 32).repeat(3, 1, 1, 1)
    assert len(set(scores(model(images, [case(40), case(60), case()], "predict")).tolist())) == 3


def test_every_part_learns():
    model = build(view_fusion=FUSION, clinical=CLINICAL | {"categories": {"x": [0]}}, head=head(38))
    losses = model.train()(torch.rand(4, 1, 64, 32), [case(40), case()], "loss")
    losses["malignant_loss"].backward()
    assert not [
        name for name, p in model.named_parameters() if p.grad is None and "project" in name
    ]
    assert {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None} == {
        *("backbone", "view_fusion", "clinical", "head")
    }


def test_logits_come_with_the_samples():
    model = build(clinical=CLINICAL, head=head(34))
    logits = model(torch.rand(1, 1, 64, 32), [case(40)])["malignant"]
    assert logits.shape == (1, 1)


def test_a_task_of_the_head_is_no_clinical_variable():
    with pytest.raises(ValueError, match=r"must not be tasks of the head.* got malignant"):
        build(clinical={"type": "ClinicalEncoder", "categories": {"malignant": [0, 1]}})


def test_single_images_where_cases_are_needed_are_refused():
    model = build(view_fusion=FUSION)
    with pytest.raises(ValueError, match="a case must tell its views: read it with ExamDataset"):
        model(torch.rand(1, 1, 64, 32), [DataSample()], "predict")


def test_a_neck_that_leaves_maps_is_refused():
    model = MultiInputClassifier(
        backbone=copy.deepcopy(PARTS["backbone"]), head=head(), clinical=CLINICAL
    )
    with pytest.raises(ValueError, match=r"one vector per view, got shape \(1, 32, 2, 1\)"):
        model(torch.rand(1, 1, 64, 32), [case(50)], "predict")
