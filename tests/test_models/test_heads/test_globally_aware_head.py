from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from mmengine.config import Config
from mmpretrain.registry import MODELS

import mammography.models.classifiers.domain_adversarial_classifier  # noqa: F401
from globally_aware_cases import BINARY, TARGETS, gradients, small_model, total
from head_cases import samples
from mammography.models.heads.globally_aware_head import GloballyAwareHead
from ranks import run_on_ranks

TASKS = {"benign": BINARY, "malignant": BINARY}
FULL = [{"benign": 0.0, "malignant": 1.0}, {"benign": 1.0, "malignant": 0.0}] * 2


def head_of(tasks=TASKS, **options) -> GloballyAwareHead:
    torch.manual_seed(0)
    sizes = {"global_channels": 16, "local_channels": 8, "attention_channels": 4}
    head = GloballyAwareHead(tasks, **sizes | {"top_fraction": 0.1} | options)
    head.init_weights()
    return head


@pytest.fixture
def feats():
    torch.manual_seed(1)
    corners = torch.randint(40, (4, 3, 2))
    return torch.randn(4, 2, 9, 7), corners, torch.randn(4, 3, 8), torch.rand(4, 16)


def published_losses(head, feats, labels) -> dict[str, torch.Tensor]:
    """Return the losses as published: cross-entropies of probabilities, clamped."""
    saliency, _, crops, maxima = feats
    attention = head.attention
    scores = torch.tanh(crops @ attention.value.weight.T) * torch.sigmoid(
        crops @ attention.gate.weight.T
    )
    weights = (scores @ attention.score.weight[0]).softmax(1)
    pooled = torch.einsum("nk,nkd->nd", weights, crops)
    linear = [layer.linear for layer in head.layers.values()]
    fused = torch.cat((maxima, pooled), 1)
    probabilities = {
        "global": saliency.sigmoid().flatten(2).topk(6, dim=2).values.mean(2),
        "local": (pooled @ head.local_classifier.weight.T).sigmoid(),
        "fusion": torch.cat([layer(fused) for layer in linear], 1).sigmoid(),
    }
    losses = {
        f"{branch}_loss": F.binary_cross_entropy(p.clamp(1e-7, 1 - 1e-7), labels)
        for branch, p in probabilities.items()
    }
    return losses | {"saliency_loss": 4.63e-4 * saliency.sigmoid().abs().sum()}


def test_losses_are_the_published_ones(feats):
    head = head_of(saliency_weight=4.63e-4)
    losses = head.loss(feats, samples(FULL))
    labels = torch.tensor([list(targets.values()) for targets in FULL])
    want = published_losses(head, feats, labels)
    assert {name for name in losses if "loss" in name} == set(want)
    for name, loss in want.items():
        torch.testing.assert_close(losses[name], loss, msg=name)
    assert losses["benign_labels"] == losses["malignant_labels"] == 4


def test_a_mean_of_8_times_the_weight_is_the_sum_over_a_batch_of_8(feats):
    def penalty(reduction: str, weight: float, copies: int) -> torch.Tensor:
        head = head_of(saliency_weight=weight, saliency_reduction=reduction)
        batch = tuple(torch.cat([each] * copies) for each in feats)
        return head.loss(batch, samples(FULL * copies))["saliency_loss"]

    torch.testing.assert_close(penalty("mean", 8e-3, 2), penalty("sum", 1e-3, 2))
    torch.testing.assert_close(penalty("mean", 1e-3, 2), penalty("mean", 1e-3, 1))
    torch.testing.assert_close(penalty("sum", 1e-3, 2), 2 * penalty("sum", 1e-3, 1))


def test_the_other_published_penalty_is_of_maps_scaled_to_their_extremes(feats):
    head = head_of(saliency_weight=0.1, saliency_scaling="min_max")
    maps = feats[0].sigmoid().flatten(2)
    low, high = maps.min(2, keepdim=True).values, maps.max(2, keepdim=True).values
    want = 0.1 * ((maps - low) / (high - low)).sum()
    torch.testing.assert_close(head.loss(feats, samples(FULL))["saliency_loss"], want)


def test_weights_of_positives_and_of_tasks_are_those_of_the_multi_task_head(feats):
    tasks = {"benign": BINARY | {"loss_weight": 0.5}, "malignant": BINARY | {"pos_weight": 3.0}}
    weighted, plain = head_of(tasks), head_of()
    labels = torch.tensor([list(targets.values()) for targets in FULL])
    losses = weighted.loss(feats, samples(FULL))
    for branch, logits in plain.branch_logits(feats).items():
        each = F.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        each[:, 1] *= torch.where(labels[:, 1] == 1, 3.0, 1.0)
        want = (0.5 * each[:, 0].mean() + each[:, 1].mean()) / 2
        torch.testing.assert_close(losses[f"{branch}_loss"], want)


def test_a_missing_label_teaches_nothing(feats):
    head = head_of()
    losses = head.loss(feats, samples(TARGETS))
    logits = head.branch_logits(feats)["global"]
    benign = F.softplus(logits[0, 0])
    malignant = (F.softplus(-logits[0, 1]) + F.softplus(logits[[1, 3], 1]).sum()) / 3
    torch.testing.assert_close(losses["global_loss"], (benign + malignant) / 2)
    assert [losses["benign_labels"], losses["malignant_labels"]] == [1, 3]


def test_two_processes_learn_what_one_does(tmp_path):
    """Also from a task that one process has no label of, with either penalty."""
    alone = gradients()
    for rank in run_on_ranks(gradients, tmp_path):
        assert set(rank) == set(alone)
        for name, gradient in alone.items():
            torch.testing.assert_close(rank[name], gradient, atol=1e-6, rtol=1e-4, msg=name)


def test_a_batch_without_images_gives_zeros_and_zero_gradients(feats):
    head = head_of(saliency_reduction="mean")
    losses = head.loss(tuple(each[:0] for each in feats), [])
    total(losses).backward()
    assert all(loss == 0 for loss in losses.values())
    assert all((p.grad == 0).all() for p in head.parameters())


def test_predictions_are_those_of_the_fusion(feats):
    head = head_of()
    predicted = head.predict(feats, samples(FULL))
    probabilities = head.branch_logits(feats)["fusion"].sigmoid()
    embedding = head.pre_logits(feats)
    assert embedding.shape == (4, 24)
    for row, sample in enumerate(predicted):
        assert sample.pred_scores == pytest.approx(
            dict(zip(TASKS, probabilities[row].tolist(), strict=True))
        )
        torch.testing.assert_close(sample.pred_features, embedding[row])
        assert "saliency" not in sample


def test_the_order_of_the_crops_does_not_matter(feats):
    head, order = head_of(), torch.tensor([2, 0, 1])
    saliency, corners, crops, maxima = feats
    again = head.branch_logits((saliency, corners[:, order], crops[:, order], maxima))
    for branch, logits in head.branch_logits(feats).items():
        torch.testing.assert_close(again[branch], logits)


def test_what_the_model_looked_at_can_be_kept(feats):
    sample = head_of(keep_maps=True).predict(feats)[1]
    torch.testing.assert_close(sample.saliency, feats[0][1].sigmoid())
    assert torch.equal(sample.crop_corners, feats[1][1])
    assert sample.crop_attention.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("scale", [1.0, 300.0])
@pytest.mark.parametrize("scaling", ["raw", "min_max"])
def test_half_precision_gives_finite_losses_and_gradients_even_when_sure(feats, scale, scaling):
    saliency, corners, crops, maxima = feats
    half = [(scale * each).bfloat16().requires_grad_() for each in (saliency, crops, maxima)]
    head = head_of(saliency_scaling=scaling)
    with torch.autocast("cpu", torch.bfloat16):
        losses = head.loss((half[0], corners, half[1], half[2]), samples(TARGETS))
    total(losses).backward()
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    assert all(torch.isfinite(each.grad).all() for each in half)
    assert all(half[0].grad[0].flatten(1).abs().sum(1) > 0)


def test_every_part_of_the_model_learns():
    model = small_model()
    total(model.loss(torch.rand(4, 1, 64, 48), samples(FULL))).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad.abs().sum() > 0, name


def planted(count: int, seed: int) -> tuple[torch.Tensor, list[dict[str, float]], torch.Tensor]:
    """Return noise, in every other image a spot of 8 x 8 pixels, their labels and places."""
    torch.manual_seed(seed)
    images = 0.3 * torch.rand(count, 1, 64, 64)
    places = torch.randint(8, 48, (count, 2))
    for n in range(1, count, 2):
        row, column = places[n]
        images[n, :, row : row + 8, column : column + 8] += 0.7
    return images, FULL[1::-1] * (count // 2), places


def test_learns_to_find_a_spot_from_the_labels_of_images_alone():
    model = small_model(head={"saliency_weight": 1e-3})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for step in range(80):
        images, targets, _ = planted(16, seed=step)
        optimizer.zero_grad()
        total(model.loss(images, samples(targets))).backward()
        optimizer.step()
    images, targets, places = planted(48, seed=1000)
    model.eval()
    with torch.no_grad():
        predicted = [sample.pred_scores["malignant"] for sample in model.predict(images)]
        corners = model.backbone(images)[1]
    right = [(p > 0.5) == t["malignant"] for p, t in zip(predicted, targets, strict=True)]
    assert sum(right) >= 46  # of 48
    centres = places[1::2, None] + 4 - corners[1::2]
    seen = ((centres >= 0) & (centres < 16)).all(2).any(1)
    assert seen.sum() >= 20  # of 24; two crops at random places see three


@pytest.mark.parametrize("passes", ["joint", "separate"])
@pytest.mark.parametrize("domains", [("source", "target") * 2, ("target",) * 4])
def test_its_embedding_can_be_made_blind_to_the_hospital(passes, domains):
    model = small_model(
        kind="DomainAdversarialClassifier",
        domain_head={"type": "DomainHead", "in_channels": 24, "hidden_channels": (4,)},
        forward_passes=passes,
        strength=1.0,
    )
    data_samples = samples([t if d == "source" else {} for t, d in zip(FULL, domains, strict=True)])
    for sample, domain in zip(data_samples, domains, strict=True):
        sample.set_metainfo({"domain": domain})
    losses = model.loss(torch.rand(4, 1, 64, 48), data_samples)
    total(losses).backward()
    assert losses["malignant_labels"] == domains.count("source")
    assert losses["domain_loss"] > 0
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
    assert model.domain_head.layers[0].weight.grad.abs().sum() > 0
    assert model.backbone.global_network.conv1.weight.grad.abs().sum() > 0


def test_works_in_the_classifier_of_mmpretrain_as_it_is():
    model = small_model(data_preprocessor={"mean": [0.5], "std": [0.5], "to_rgb": False})
    batch = {"inputs": [torch.rand(1, 64, 48)] * 4, "data_samples": samples(FULL)}
    data = model.data_preprocessor(batch, training=True)
    losses, log = model.parse_losses(model(**data, mode="loss"))
    branches = ("global_loss", "local_loss", "fusion_loss", "saliency_loss")
    torch.testing.assert_close(losses, sum(log[name] for name in branches))
    model.eval()
    predicted = model.val_step(batch)
    embedding = model.extract_feat(data["inputs"], stage="pre_logits")
    torch.testing.assert_close(embedding[2], predicted[2].pred_features)
    assert len(model.extract_feat(data["inputs"], stage="backbone")) == 4
    assert model(data["inputs"])["malignant"].shape == (4, 1)


def test_the_base_config_is_the_published_model():
    base = Config.fromfile(Path(__file__).parents[3] / "configs/_base_/models/globally-aware.py")
    model = MODELS.build(base.model)
    local = 11_176_512 - 2 * 64 * 49  # ResNet-18 without its classifier, of one channel
    attention, classifiers = 2 * 512 * 128 + 128, 2 * 512 + 2 * 769
    want = 2_799_536 + 2 * 256 + local + attention + classifiers
    assert sum(p.numel() for p in model.parameters()) == want == 14_104_050


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"tasks": {"density": {"kind": "ordinal", "num_classes": 4}}},
            "task density: kind must be",
        ),
        (
            {"tasks": {"malignant": {"kind": "binary", "attenuation": {}}}},
            "task malignant: attenuation must be left out",
        ),
        ({"top_fraction": 0}, r"top_fraction must lie in \(0, 1\] .* got 0 and"),
        ({"saliency_weight": -1}, "got 0.1 and -1"),
        ({"saliency_reduction": "max"}, "saliency_reduction must be one of sum, mean, got 'max'"),
        ({"saliency_scaling": "z"}, "saliency_scaling must be one of raw, min_max, got 'z'"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        head_of(**options)


def test_maps_that_are_not_as_many_as_the_tasks_are_refused(feats):
    head = head_of({"malignant": BINARY})
    with pytest.raises(ValueError, match=r"each of the 1 tasks, got 2: set backbone\.num_classes"):
        head.loss(feats, samples(FULL))
