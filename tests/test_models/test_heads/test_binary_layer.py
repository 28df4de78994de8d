import math

import pytest
import torch
from sklearn.metrics import roc_auc_score
from torchvision.ops import sigmoid_focal_loss

from golden import golden
from head_cases import samples
from mammography.functional.entropy import probability_entropy
from mammography.functional.imbalance_losses import asymmetric_losses
from mammography.functional.selective import risk_coverage
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.models.heads.outcome_layers import build_outcome_layer

F = torch.nn.functional


def build(**options):
    torch.manual_seed(0)
    return build_outcome_layer("malignant", 4, "binary", **options)


@pytest.mark.parametrize(
    ("alpha", "gamma"), [(0.25, 2.0), (0.5, 0.0), (-1, 2.0), (0.75, 1.5), (-1, 0.0)]
)
def test_focal_losses_agree_with_the_reference_values(alpha, gamma):
    cases = golden("05_losses")
    logits = torch.tensor(cases["inputs"]["logits"])
    targets = torch.tensor(cases["inputs"]["targets"])
    want = torch.tensor(cases["expected"][f"focal_torchvision_alpha{alpha}_gamma{gamma}"]["none"])
    layer = build(loss="focal", alpha=alpha, gamma=gamma)
    for column in range(3):
        losses, weights = layer.losses(logits[:, [column]], targets[:, column])
        torch.testing.assert_close(losses, want[:, column], rtol=1e-4, atol=1e-8)
        assert weights.tolist() == [1] * 4


def test_alpha_weighs_the_positives_and_is_off_unless_given():
    """The published 0.25 would make a rare cancer count a third of a healthy image."""
    logits, labels = torch.zeros(2, 1), torch.tensor([1.0, 0.0])
    plain = build(loss="focal").losses(logits, labels)[0]
    assert plain[0] == plain[1]
    weighted = build(loss="focal", alpha=0.25).losses(logits, labels)[0]
    torch.testing.assert_close(weighted, plain * torch.tensor([0.25, 0.75]))


@pytest.mark.parametrize(
    ("options", "reference"),
    [
        ({}, F.binary_cross_entropy_with_logits),
        ({"loss": "focal"}, lambda z, y: sigmoid_focal_loss(z, y, alpha=-1, reduction="mean")),
        ({"loss": "asymmetric"}, lambda z, y: asymmetric_losses(z, y, 0.0, 4.0, 0.05).mean()),
        (
            {"loss": "asymmetric", "gamma_positive": 1, "gamma_negative": 2, "margin": 0.1},
            lambda z, y: asymmetric_losses(z, y, 1.0, 2.0, 0.1).mean(),
        ),
    ],
)
def test_one_sigmoid_stands_between_logit_and_loss_and_between_logit_and_score(options, reference):
    """System B applied the sigmoid before a loss that applies it again."""
    layer = build(**options)
    logits, labels = torch.randn(50, 1) * 4, (torch.rand(50) < 0.5).float()
    torch.testing.assert_close(
        layer.losses(logits, labels)[0].mean(), reference(logits[:, 0], labels)
    )
    torch.testing.assert_close(layer.scores(logits), 1 / (1 + (-logits[:, 0]).exp()))
    assert layer.uncertainty(logits) == {}


def test_what_is_trained_is_the_likelihood_averaged_over_the_samples():
    """By the law of large numbers, and not the mean of the losses of the samples."""
    layer = build(attenuation={"samples": 200_000}).train()
    outputs, labels = torch.tensor([[-2.0, math.log(4)]]), torch.ones(1)
    loss = layer.losses(outputs, labels)[0].item()
    # E[sigmoid] at mean -2 and deviation 2 by quadrature; its standard error is below 6e-4.
    assert loss == pytest.approx(-math.log(0.2247997546), abs=0.01)
    assert loss < 2.3563163602 - 0.5  # the mean of the losses


def test_the_same_variance_is_trained_and_reported():
    """System B trained the square of its output and reported the softplus of it."""
    layer = build(attenuation={"test_samples": 4096}).eval()
    outputs = torch.tensor([[0.7, -1.0], [-1.5, 0.3], [2.0, 1.7]])
    reported = layer.uncertainty(outputs)["variance"]
    torch.testing.assert_close(reported, outputs[:, 1].exp())
    noise = torch.randn(400_000)
    for (mean, _), variance, loss in zip(
        outputs, reported, layer.losses(outputs, torch.ones(3))[0], strict=True
    ):
        probability = torch.sigmoid(mean + variance.sqrt() * noise).mean()
        assert loss.item() == pytest.approx(-probability.log().item(), abs=0.01)


def test_the_score_is_the_mean_over_all_samples_not_the_last_one():
    """System B took its training AUC from the last Monte Carlo sample."""
    layer = build(attenuation={"samples": 5}).train()
    outputs = torch.tensor([[0.5, 2.0]] * 3)
    torch.manual_seed(1)
    scores = layer.scores(outputs)
    torch.manual_seed(1)
    drawn = torch.sigmoid(0.5 + math.e * torch.randn(5, 3, 1))[..., 0]
    torch.testing.assert_close(scores, drawn.mean(0))
    assert (scores - drawn[-1]).abs().max() > 0.01


def test_noise_is_fresh_in_training_and_fixed_in_evaluation():
    layer, outputs = build(attenuation={}), torch.tensor([[0.5, 2.0]])
    layer.train()
    assert layer.scores(outputs) != layer.scores(outputs)
    layer.eval()
    before = torch.get_rng_state()
    assert torch.equal(layer.scores(outputs), layer.scores(outputs))
    loss = layer.losses(outputs, torch.ones(1))[0]
    torch.testing.assert_close(loss, -layer.scores(outputs).log())
    assert torch.equal(torch.get_rng_state(), before)
    other = build(attenuation={"seed": 1}).eval()
    assert other.scores(outputs) != layer.scores(outputs)


def test_weights_and_smoothing_of_the_cross_entropy_hold_with_learned_noise():
    outputs, labels = torch.randn(20, 2), (torch.rand(20) < 0.5).float()
    layer = build(attenuation={}, pos_weight=3.0, label_smoothing=0.2).eval()
    p = layer.scores(outputs)
    y = labels * 0.8 + 0.1
    want = -(3 * y * p.log() + (1 - y) * (1 - p).log())
    torch.testing.assert_close(layer.losses(outputs, labels)[0], want, rtol=1e-4, atol=1e-5)


def test_without_noise_left_it_is_the_plain_layer():
    plain, layer = build(), build(attenuation={}).eval()
    logits, labels = torch.randn(20, 1), (torch.rand(20) < 0.5).float()
    quiet = torch.cat([logits, torch.full((20, 1), -1e9)], dim=1)
    torch.testing.assert_close(
        layer.losses(quiet, labels)[0], plain.losses(logits, labels)[0], rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(layer.logits(quiet), plain.logits(logits))


def test_of_one_set_of_weights_all_uncertainty_is_aleatoric():
    """The mutual information with the noise of the logit is noise of the data too."""
    layer = build(attenuation={}).eval()
    outputs = torch.randn(10, 2)
    parts, p = layer.uncertainty(outputs), layer.scores(outputs)
    assert set(parts) == {"total", "aleatoric", "variance"}
    torch.testing.assert_close(parts["aleatoric"], parts["total"])
    entropy = probability_entropy(torch.stack([1 - p, p], dim=1))
    torch.testing.assert_close(parts["total"], entropy)


@pytest.fixture
def head():
    torch.manual_seed(0)
    tasks = {
        "malignant": {"kind": "binary", "attenuation": {"samples": 4}},
        "birads": {"kind": "multiclass", "num_classes": 5, "attenuation": {}},
        "density": {"kind": "ordinal", "num_classes": 4},
    }
    return MaskedMultiTaskHead(tasks, 8)


def test_an_image_is_predicted_alike_in_whatever_batch(head):
    feats = torch.randn(6, 8)
    together = head.eval().predict((feats,))
    for row, sample in enumerate(together):
        (alone,) = head.predict((feats[[row]],))
        assert alone.pred_scores["malignant"] == pytest.approx(sample.pred_scores["malignant"])
        assert alone.pred_uncertainty["birads"] == pytest.approx(sample.pred_uncertainty["birads"])


def test_the_head_gives_the_logits_alone_and_the_uncertainty_of_tasks_that_learn_it(head):
    feats = (torch.randn(3, 8),)
    shapes = {name: tuple(values.shape) for name, values in head(feats).items()}
    assert shapes == {"malignant": (3, 1), "birads": (3, 5), "density": (3, 3)}
    sample = head.eval().predict(feats)[0]
    assert set(sample.pred_uncertainty) == {"malignant", "birads"}
    assert sum(sample.pred_scores["birads"]) == pytest.approx(1)


def test_a_checkpoint_holds_weights_only_and_fits_with_another_number_of_samples(head):
    assert not [name for name in head.state_dict() if "nodes" in name]
    tasks = {"malignant": {"kind": "binary", "attenuation": {"samples": 2, "test_samples": 64}}}
    other = MaskedMultiTaskHead(tasks, 8)
    kept = {k: v for k, v in head.state_dict().items() if "malignant" in k}
    assert not other.load_state_dict(kept).unexpected_keys


def test_mixed_precision_changes_neither_losses_nor_scores(head):
    feats = (torch.randn(6, 8).bfloat16(),)
    labels = samples([{"malignant": 1.0, "birads": 2.0}] * 6)
    with torch.autocast("cpu", torch.bfloat16):
        torch.manual_seed(5)
        rounded, scores = head.train().loss(feats, labels), head.eval().predict(feats)
    exact = (feats[0].float(),)
    torch.manual_seed(5)
    wanted = head.train().loss(exact, labels)
    torch.testing.assert_close(rounded, wanted)
    want = [sample.pred_scores for sample in head.eval().predict(exact)]
    assert [sample.pred_scores["malignant"] for sample in scores] == [w["malignant"] for w in want]


def two_makers(number: int, seed: int):
    """Return features that tell lesion and maker, and labels of which B's are wrong in 3 of 10."""
    generator = torch.Generator().manual_seed(seed)
    of_b = torch.rand(number, generator=generator) < 0.5
    ill = (torch.rand(number, generator=generator) < 0.5).float()
    lesion = 2 * ill - 1 + 0.4 * torch.randn(number, generator=generator)
    wrong = of_b & (torch.rand(number, generator=generator) < 0.3)
    labels = torch.where(wrong, 1 - ill, ill)
    maker = of_b.float() + 0.2 * torch.randn(number, generator=generator)
    return torch.stack([lesion, maker, torch.ones(number), torch.zeros(number)], 1), labels, of_b


def learn(**options):
    """Return a linear head that has learned from two makers."""
    layer, (features, labels, _) = build(**options), two_makers(2000, seed=0)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.05)
    torch.manual_seed(0)
    for _ in range(400):
        optimizer.zero_grad()
        layer.losses(layer(features), labels)[0].mean().backward()
        optimizer.step()
    return layer.eval()


def test_where_labels_of_one_maker_are_noise_the_variance_says_so_and_the_likelihood_gains():
    """On fixed features, as of a frozen backbone.

    A logit that is linear in lesion and maker cannot be less sure of one maker, its variance can.
    """
    features, labels, of_b = two_makers(4000, seed=1)
    plain, attenuated = learn(), learn(attenuation={"samples": 10})
    with torch.no_grad():
        outputs = attenuated(features)
        scores = [layer.scores(layer(features)) for layer in (plain, attenuated)]
        variance = attenuated.uncertainty(outputs)["variance"]
        aleatoric = attenuated.uncertainty(outputs)["aleatoric"]
    losses = [F.binary_cross_entropy(p, labels).item() for p in scores]
    assert losses[1] < losses[0] - 0.02
    assert roc_auc_score(of_b, variance) > 0.75
    assert roc_auc_score(of_b, aleatoric) > 0.75
    curve = risk_coverage((scores[1] > 0.5) != labels, aleatoric)
    assert curve.risk_at(0.8) < curve.risk_at(1.0) - 0.01


def test_the_likelihood_alone_does_not_tell_a_large_variance_from_a_small_logit():
    """Why the variance need not tell noise where the logit can: two outputs, one likelihood."""
    layer = build(attenuation={"test_samples": 2**14}).eval()
    # E[sigmoid(2.5 + 4 e)] is 0.71607 by quadrature; the logit of that without noise is 0.92504.
    outputs = torch.tensor([[2.5, 2 * math.log(4.0)], [0.92504, -10.0]])
    for label in (0.0, 1.0):
        loss = layer.losses(outputs, torch.full((2,), label))[0]
        assert loss[0].item() == pytest.approx(loss[1].item(), abs=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "hinge"}, "loss must be one of bce, focal, asymmetric, got 'hinge'"),
        ({"loss": "focal", "pos_weight": 2.0}, "unexpected keyword argument 'pos_weight'"),
        ({"alpha": 0.5}, "unexpected keyword argument 'alpha'"),
        ({"loss": "focal", "alpha": 2}, r"alpha must be at most 1 \(below 0: no weights\), got 2"),
        ({"loss": "focal", "gamma": -1}, "gamma must be at least 0, got -1"),
        ({"loss": "asymmetric", "gamma_negative": -1}, "gamma_negative must be at least 0, got -1"),
        ({"loss": "asymmetric", "margin": 1}, r"margin must lie in \[0, 1\), got 1"),
        ({"loss": "focal", "attenuation": {}}, "attenuation must go with loss='bce'.*got 'focal'"),
        ({"attenuation": {"samples": 0}}, "attenuation: samples must be at least 1, got 0"),
        ({"attenuation": {"t": 1}}, "unexpected keyword argument 't'"),
    ],
)
def test_what_describes_no_loss_is_refused_with_the_task(options, message):
    with pytest.raises(ValueError, match=f"task malignant: .*{message}"):
        build(**options)
