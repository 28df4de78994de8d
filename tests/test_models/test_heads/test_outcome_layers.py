import pytest
import torch
from coral_pytorch.layers import CoralLayer

from mammography.models.heads.outcome_layers import build_outcome_layer

F = torch.nn.functional


def test_coral_shares_its_weights_and_starts_like_coral_pytorch():
    torch.manual_seed(0)
    ours = build_outcome_layer("density", 8, "ordinal", 5, method="coral")
    theirs = CoralLayer(8, 5)
    theirs.coral_weights.weight.data = ours.linear.weight.data
    x = torch.randn(10, 8)
    torch.testing.assert_close(ours(x), theirs(x))


def test_smoothed_cross_entropy_is_that_of_torch():
    torch.manual_seed(0)
    layer = build_outcome_layer("birads", 4, "multiclass", 5, label_smoothing=0.1)
    logits, labels = torch.randn(7, 5), torch.randint(5, (7,))
    losses, weights = layer.losses(logits, labels.float())
    want = F.cross_entropy(logits, labels, label_smoothing=0.1)
    torch.testing.assert_close(losses.sum() / weights.sum(), want)


@pytest.mark.parametrize(
    ("options", "reference"),
    [
        ({}, F.mse_loss),
        ({"loss": "smooth_l1", "beta": 0.3}, lambda a, b: F.smooth_l1_loss(a, b, beta=0.3)),
    ],
)
def test_regression_losses_are_those_of_torch(options, reference):
    torch.manual_seed(0)
    layer = build_outcome_layer("size", 4, "regression", **options)
    logits, labels = torch.randn(7, 1), torch.randn(7)
    losses, _ = layer.losses(logits, labels)
    torch.testing.assert_close(losses.mean(), reference(logits[:, 0], labels))


@pytest.mark.parametrize(
    ("kind", "classes"), [("binary", 0), ("multiclass", 5), ("ordinal", 4), ("regression", 0)]
)
def test_a_layer_learns_what_its_features_tell(kind, classes):
    torch.manual_seed(0)
    layer = build_outcome_layer("y", 3, kind, classes)
    x = torch.randn(256, 3)
    labels = (x[:, 0] * 1.5 + (classes - 1) / 2).round().clamp(0, max(classes - 1, 0))
    labels = {"binary": (x[:, 0] > 0).float(), "regression": x[:, 0]}.get(kind, labels)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        losses, weights = layer.losses(layer(x), labels)
        (losses.sum() / weights.sum()).backward()
        optimizer.step()
    scores = layer.scores(layer(x)).detach()
    if kind == "regression":
        assert (scores - labels).abs().mean() < 0.05
    else:
        predicted = scores.argmax(1) if classes else scores.round()
        assert (predicted == labels).float().mean() > 0.9
