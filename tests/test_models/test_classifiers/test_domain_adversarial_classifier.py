import copy
from logging import getLogger
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmpretrain.models import ImageClassifier
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from domain_cases import BATCHES, S, SmallBody, T, batch, classifier, learn, samples
from golden import golden
from mammography.engine.hooks.load_pretrained_hook import LoadPretrainedHook
from mammography.functional.gradient_reversal import adversarial_strength
from mammography.models.backbones.globally_aware_backbone import GloballyAwareBackbone
from mammography.models.classifiers.domain_adversarial_classifier import (
    DomainAdversarialClassifier,
)
from mammography.models.heads.domain_head import DomainHead
from mammography.models.heads.globally_aware_head import GloballyAwareHead
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from ranks import run_on_ranks


def total(losses):
    return sum(value for name, value in losses.items() if "loss" in name)


def gradients(model, inputs, data_samples):
    model.zero_grad()
    total(model(inputs, data_samples, mode="loss")).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.fixture
def norms():
    """A model with batch norm and a batch whose domains differ in contrast."""
    inputs, data_samples = batch((T, S, S, T, T, S))
    inputs[[0, 3, 4]] = inputs[[0, 3, 4]] * 3 + 1
    return inputs, data_samples


def test_a_step_agrees_with_the_reference_implementation():
    cases = golden("02_dann")
    given = {k: torch.tensor(v) for k, v in cases["inputs"].items() if k[0] in "xyW"}
    inputs = torch.cat([given["xt"], given["xs"]])[..., None, None]
    domains = [T] * len(given["xt"]) + [S] * len(given["xs"])
    # Had a label of a target image any effect, the gradients would differ.
    data_samples = samples(domains, [1.0] * len(given["xt"]) + given["ys"].tolist())
    model = classifier(body={"in_channels": 5}, adversary={"in_channels": 4, "hidden_channels": ()})
    model.backbone.conv = nn.Conv2d(5, 4, 1, bias=False)
    model.backbone.conv.weight.data = given["Wf"].T[..., None, None]
    model.head = MaskedMultiTaskHead({"malignant": {"kind": "binary"}}, 4)
    linear = model.head.layers["malignant"].linear
    linear.weight.data, linear.bias.data = given["Wc"].T.clone(), torch.zeros(1)
    adversary = model.domain_head.layers[-1].weight
    adversary.data = torch.stack([given["Wd"][:, 0], torch.zeros(4)])
    for strength in (0.0, 0.5, 1.0):
        want = cases["expected"][f"dann_step_lambda_{strength}"]
        model.strength = strength
        losses = model(inputs, data_samples, mode="loss")
        got = gradients(model, inputs, data_samples)
        assert losses["malignant_loss"].item() == pytest.approx(want["cls_loss"], rel=1e-6)
        assert losses["domain_loss"].item() == pytest.approx(want["domain_loss"], rel=1e-6)
        assert losses["malignant_labels"] == len(given["xs"])
        ours = {
            "grad_Wf": got["backbone.conv.weight"][..., 0, 0].T,
            "grad_Wc": got["head.outcomes.malignant.linear.weight"].T,
            "grad_Wd": got["domain_head.layers.0.weight"][:1].T,
        }
        for name, gradient in ours.items():
            torch.testing.assert_close(gradient, torch.tensor(want[name]), atol=1e-7, rtol=1e-5)


def test_two_processes_learn_what_one_does(tmp_path):
    """Also when a process has no source image, no target image, or nobody has a source image."""
    alone = learn()
    ranks = run_on_ranks(learn, tmp_path)
    assert set(alone) == set(ranks[0]) == set(ranks[1])
    for name, value in alone.items():
        found = [rank[name] for rank in ranks]
        if name.endswith("_loss"):  # each is the share of a process
            found = [sum(found) / 2]
        for got in found:
            torch.testing.assert_close(got, value, atol=1e-6, rtol=1e-5, msg=name)


def test_a_label_of_a_target_image_is_never_read():
    inputs, _ = batch(BATCHES["apart"])
    without = samples(BATCHES["apart"], [0, 1, 0, None, None, None])
    expected = gradients(classifier(), inputs, without)
    for label in (1.0, float("nan")):
        with_labels = samples(BATCHES["apart"], [0, 1, 0, label, label, label])
        found = gradients(classifier(), inputs, with_labels)
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_only_what_lies_below_the_reversal_depends_on_its_strength():
    inputs, data_samples = batch(BATCHES["apart"])
    weak, strong = (
        gradients(classifier(strength=strength), inputs, data_samples) for strength in (0.0, 1.0)
    )
    differ = {name for name in weak if not torch.equal(weak[name], strong[name])}
    assert differ == {"backbone.conv.weight", "head.hidden.0.weight", "head.hidden.0.bias"}


def test_without_strength_the_network_learns_what_a_plain_classifier_learns():
    inputs, data_samples = batch(BATCHES["apart"])
    model = classifier(strength=0.0)
    plain = ImageClassifier(backbone=copy.deepcopy(model.backbone), head=copy.deepcopy(model.head))
    expected = gradients(plain, inputs[:3], data_samples[:3])
    found = gradients(model, inputs, data_samples)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient)


def test_the_domain_head_sees_what_was_chosen():
    inputs, data_samples = batch(BATCHES["apart"])
    at_neck = classifier(adversary={"in_channels": 8}, embedding="neck", strength=1.0)
    none = classifier(adversary={"in_channels": 8}, embedding="neck", strength=0.0)
    first, second = (gradients(model, inputs, data_samples) for model in (at_neck, none))
    differ = {name for name in first if not torch.equal(first[name], second[name])}
    assert differ == {"backbone.conv.weight"}


def test_one_pass_normalises_all_images_together(norms):
    model = classifier(body={"norm": "BN"})
    reference = copy.deepcopy(model.backbone)
    (expected,) = reference(norms[0])
    (found,) = model._extract(norms[0], model.domain_head.domains_of(norms[1]))
    assert torch.equal(found, expected)
    assert torch.equal(model.backbone.norm.running_var, reference.norm.running_var)
    assert model.backbone.norm.num_batches_tracked == 1


def test_separate_passes_normalise_each_domain_by_itself(norms):
    inputs, data_samples = norms
    model = classifier(body={"norm": "BN"}, forward_passes="separate")
    reference = copy.deepcopy(model.backbone)
    source = reference(inputs[[1, 2, 5]])[0]
    target = reference(inputs[[0, 3, 4]])[0]
    (found,) = model._extract(inputs, model.domain_head.domains_of(data_samples))
    assert torch.equal(found, torch.stack([*target[:1], *source[:2], *target[1:], *source[2:]]))
    # Two updates, source before target.
    for name, buffer in model.backbone.named_buffers():
        assert torch.equal(buffer, reference.get_buffer(name)), name
    assert model.backbone.norm.num_batches_tracked == 2


def test_norms_per_domain_keep_domains_apart_in_one_pass(norms):
    inputs, data_samples = norms
    apart = classifier(body={"norm": "BN"}, forward_passes="separate")
    names = apart.domain_head.domains_of(data_samples)
    (expected,) = apart._extract(inputs, names)
    for passes in ("joint", "separate"):
        model = classifier(body={"norm": "DomainBN"}, forward_passes=passes)
        (found,) = model._extract(inputs, names)
        torch.testing.assert_close(found, expected)
        of_source, of_target = model.backbone.norm.domains.values()
        assert of_source.num_batches_tracked == of_target.num_batches_tracked == 1
        assert (of_target.running_var > of_source.running_var).all()


def test_separate_passes_of_one_domain_are_one_pass(norms):
    model = classifier(body={"norm": "BN"}, forward_passes="separate")
    reference = copy.deepcopy(model.backbone)
    (found,) = model._extract(norms[0], [T] * 6)
    assert torch.equal(found, reference(norms[0])[0])
    assert model.backbone.norm.num_batches_tracked == 1


def test_separate_passes_with_synchronised_norms_need_every_domain_in_every_process(monkeypatch):
    place = "mammography.models.classifiers.domain_adversarial_classifier.count_processes"
    monkeypatch.setattr(place, lambda: 2)
    model = classifier(body={"norm": "BN"}, forward_passes="separate")
    inputs, data_samples = batch(BATCHES["target"])
    model._extract(inputs, [T] * 6)
    model.backbone.norm = nn.SyncBatchNorm(8)
    with pytest.raises(ValueError, match="hold every domain, got none of source"):
        model(inputs, data_samples, mode="loss")


def test_features_and_predictions_are_those_of_a_plain_classifier(norms):
    model = classifier(body={"norm": "BN"}, strength=None).eval()
    plain = ImageClassifier(backbone=model.backbone, head=model.head).eval()
    for stage in ("backbone", "neck", "pre_logits"):
        ours, theirs = (m.extract_feat(norms[0], stage=stage) for m in (model, plain))
        assert torch.equal(ours[0], theirs[0])
    ours, theirs = (m(norms[0], mode="tensor")["malignant"] for m in (model, plain))
    assert torch.equal(ours, theirs)
    without_domain = samples([None] * 6, [None] * 6)
    ours, theirs = (m(norms[0], without_domain, mode="predict") for m in (model, plain))
    assert [s.pred_scores for s in ours] == [s.pred_scores for s in theirs]


@pytest.mark.parametrize("passes", ["joint", "separate"])
@pytest.mark.parametrize("domains", [(S, T, T), (T, T, T)], ids=["both", "only target"])
def test_the_model_of_the_study_learns_from_both(passes, domains):
    """Four tensors per image, with crops; every weight gets a gradient, none of them NaN."""
    torch.manual_seed(0)
    small = {"type": "mmpretrain.ResNet", "depth": 18, "in_channels": 1, "base_channels": 4}
    small |= {"stem_channels": 4, "norm_cfg": {"type": "BN"}}
    model = DomainAdversarialClassifier(
        backbone=GloballyAwareBackbone(small, small, 1, 32, crop_size_hw=(32, 32), num_crops=2),
        head=GloballyAwareHead({"malignant": {"kind": "binary"}}, 32, 32),
        domain_head=DomainHead(64),
        forward_passes=passes,
        strength=1.0,
    )
    data_samples = samples(domains, [1.0 if name == S else None for name in domains])
    losses = model(torch.rand(3, 1, 128, 64), data_samples, mode="loss")
    total(losses).backward()
    missing = [name for name, p in model.named_parameters() if p.grad is None]
    assert not missing
    assert all(p.grad.isfinite().all() for p in model.parameters())
    assert losses["malignant_labels"] == domains.count(S)


def test_weights_go_to_a_classifier_without_domain_head_and_back(tmp_path):
    model = classifier()
    plain = ImageClassifier(backbone=SmallBody(), head=copy.deepcopy(model.head))
    torch.save(model.state_dict(), tmp_path / "adversarial.pth")
    load(tmp_path / "adversarial.pth", plain)
    expected = model.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in plain.state_dict().items())

    torch.save(plain.state_dict(), tmp_path / "plain.pth")
    other = classifier()
    for parameter in other.parameters():
        parameter.data += 1
    load(tmp_path / "plain.pth", other)
    for name, value in other.state_dict().items():
        assert torch.equal(value, expected[name]) != name.startswith("domain_head"), name


def load(checkpoint, model):
    hook = LoadPretrainedHook(checkpoint, module="", allow=("domain_head.*",))
    hook.before_train(SimpleNamespace(model=model, logger=getLogger("load")))


def test_mixed_precision_trains_it():
    inputs, data_samples = batch(BATCHES["apart"])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = classifier()(inputs, data_samples, mode="loss")
    expected = classifier()(inputs, data_samples, mode="loss")
    for name, value in losses.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected[name], atol=0.02, rtol=0.02)


def test_a_strength_that_nobody_sets_is_an_error_with_the_remedy():
    with pytest.raises(ValueError, match=r"strength must be set, got None: add .*StrengthHook"):
        classifier(strength=None)(*batch(BATCHES["apart"]), mode="loss")


def test_an_image_without_domain_is_named():
    inputs, _ = batch(BATCHES["apart"])
    with pytest.raises(ValueError, match=r"images/2\.png: domain must be one of source, target"):
        classifier()(inputs, samples([S, T, None, S, S, S], [0] * 6), mode="loss")


def test_features_that_are_no_vectors_are_refused():
    model = classifier(embedding="neck")
    model.backbone.forward = lambda x: (x,)
    model.head = MaskedMultiTaskHead({"malignant": {"kind": "binary"}}, 2)
    with pytest.raises(ValueError, match=r"shape \(N, C\), got \(6, 6, 2, 2\) from the neck"):
        model(*batch(BATCHES["apart"]), mode="loss")


def test_a_task_that_is_named_like_the_adversary_is_refused():
    model = classifier()
    model.head = MaskedMultiTaskHead({"domain": {"kind": "binary"}}, 8, hidden_channels=5)
    with pytest.raises(ValueError, match=r"no task must be named .* got domain_loss"):
        model(*batch(BATCHES["apart"]), mode="loss")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"source": "here"}, r"source must be one of .* \(source, target\), got 'here'"),
        ({"forward_passes": "both"}, "forward_passes must be one of joint, separate, got 'both'"),
        ({"embedding": "backbone"}, "embedding must be one of head, neck, got 'backbone'"),
        ({"strength": -1.0}, "strength must be >= 0, got -1.0"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(settings, message):
    with pytest.raises(ValueError, match=message):
        classifier(**settings)


def test_a_head_without_embedding_is_refused():
    with pytest.raises(ValueError, match=r"head must have pre_logits .* got NoneType"):
        DomainAdversarialClassifier(backbone=SmallBody(), domain_head=DomainHead(8))


def two_hospitals(seed, count=200):
    """Return points whose class lies in one direction, the hospital in others; no target label."""
    rng = np.random.default_rng(seed)
    shift = np.repeat([-1.0, 1.0], count)
    label = rng.integers(0, 2, 2 * count)
    points = rng.normal(0, 0.5, (2 * count, 4))
    points[:, 0] += 2 * label - 1
    points[:, 1] += 2 * shift
    points[:, 2] *= np.exp(shift)
    known = [*label[:count], *[None] * count]
    return (
        torch.tensor(points, dtype=torch.float32)[..., None, None],
        samples([S] * count + [T] * count, known),
        label[:count],
    )


def train_on_two_hospitals(max_strength, steps=400):
    """Return how well a forest finds the domain in the embedding, and the class accuracy."""
    model = classifier(
        body={"in_channels": 4, "activation": "ReLU"},
        adversary={"hidden_channels": (32, 32), "bias": True},
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    inputs, data_samples, _ = two_hospitals(0)
    for step in range(steps):
        model.strength = adversarial_strength(step / steps, max_strength)
        optimizer.zero_grad()
        total(model(inputs, data_samples, mode="loss")).backward()
        optimizer.step()
    (seen, *_), (unseen, _, label) = two_hospitals(1), two_hospitals(2)
    embedded = [model.extract_feat(x, stage="pre_logits").detach().numpy() for x in (seen, unseen)]
    domain = np.repeat([0, 1], len(label))
    forest = RandomForestClassifier(50, random_state=0).fit(embedded[0], domain)
    scores = model(unseen, mode="tensor")["malignant"][: len(label), 0].detach().numpy()
    return forest.score(embedded[1], domain), np.mean((scores > 0) == label)


def test_the_adversary_takes_the_domain_out_of_the_embedding_and_leaves_the_class():
    domain_before, class_before = train_on_two_hospitals(max_strength=0.0)
    domain_after, class_after = train_on_two_hospitals(max_strength=1.0)
    assert domain_before > 0.9
    assert domain_after < 0.65
    assert class_after > class_before - 0.03 > 0.9
