import pytest
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from mmpretrain.registry import MODELS

from domain_cases import S, T, samples
from golden import golden
from mammography.models.heads.domain_head import DomainHead


@pytest.fixture
def embedding():
    torch.manual_seed(1)
    return torch.randn(6, 768)


def one_layer(width, weight):
    """Return a head whose first output is ``weight`` applied, and whose second one is 0."""
    head = DomainHead(width, hidden_channels=()).to(weight.dtype)
    head.layers[-1].weight.data = torch.stack([weight, torch.zeros_like(weight)])
    return head


def test_loss_gradient_and_accuracy_agree_with_the_reference_implementation():
    """Two outputs of a softmax say what one output of a sigmoid says."""
    cases = golden("02_dann")
    want = cases["expected"]["dann_step_lambda_1.0"]
    given = {
        k: torch.tensor(v, dtype=torch.float64) for k, v in cases["inputs"].items() if k[0] in "xW"
    }
    features = torch.tanh(torch.cat([given["xs"], given["xt"]]) @ given["Wf"])
    head = one_layer(4, given["Wd"][:, 0])
    got = head.loss(features, [S] * len(given["xs"]) + [T] * len(given["xt"]))
    got["domain_loss"].backward()
    assert got["domain_loss"].item() == pytest.approx(want["domain_loss"], abs=1e-10)
    gradient = torch.tensor(want["grad_Wd"], dtype=torch.float64)[:, 0]
    torch.testing.assert_close(head.layers[-1].weight.grad[0], gradient, atol=1e-10, rtol=0)
    assert 100 * got["domain_accuracy"].item() == want["domain_acc"]


def test_it_is_the_published_loss(embedding):
    """Binary cross-entropy of both outputs of a softmax, against a vector of 1 and 0."""
    head = DomainHead(768)
    domains = [S, T, T, S, S, T]
    wanted = torch.tensor([[1.0, 0.0] if name == S else [0.0, 1.0] for name in domains])
    published = F.binary_cross_entropy(head(embedding).softmax(dim=1), wanted)
    torch.testing.assert_close(head.loss(embedding, domains)["domain_loss"], published)


def test_the_layers_are_the_published_ones():
    head = DomainHead(768)
    assert [tuple(p.shape) for p in head.parameters()] == [(256, 768), (128, 256), (2, 128)]


def test_each_domain_or_each_sample_has_the_same_share(embedding):
    head = DomainHead(768)
    domains = [S, S, S, S, S, T]
    each = F.cross_entropy(head(embedding), torch.tensor([0] * 5 + [1]), reduction="none")
    by_domain = head.loss(embedding, domains)["domain_loss"]
    torch.testing.assert_close(by_domain, (each[:5].mean() + each[5]) / 2)
    head.average = "samples"
    torch.testing.assert_close(head.loss(embedding, domains)["domain_loss"], each.mean())


@pytest.mark.parametrize(("average", "share"), [("domains", 0.5), ("samples", 1.0)])
@pytest.mark.parametrize("only", [S, T])
def test_a_domain_that_is_absent_adds_nothing(embedding, average, share, only):
    head = DomainHead(768, average=average)
    labels = torch.full((6,), [S, T].index(only))
    got = head.loss(embedding, [only] * 6)
    torch.testing.assert_close(got["domain_loss"], share * F.cross_entropy(head(embedding), labels))
    got["domain_loss"].backward()
    assert all(p.grad.isfinite().all() for p in head.parameters())
    right = head(embedding).argmax(dim=1) == labels
    assert got["domain_accuracy"] == right.float().mean()


def test_accuracy_is_at_chance_when_all_is_called_the_larger_domain():
    head = one_layer(3, torch.ones(3))
    got = head.loss(torch.ones(10, 3), [S] * 9 + [T])
    assert got["domain_accuracy"] == 0.5


def test_the_weight_scales_the_loss_and_only_that(embedding):
    torch.manual_seed(0)
    plain = DomainHead(768)
    torch.manual_seed(0)
    double = DomainHead(768, loss_weight=2.0)
    domains = [S, T] * 3
    first, second = plain.loss(embedding, domains), double.loss(embedding, domains)
    torch.testing.assert_close(second["domain_loss"], 2 * first["domain_loss"])
    assert first["domain_accuracy"] == second["domain_accuracy"]


def test_three_hospitals_are_told_apart(embedding):
    head = DomainHead(768, domains=("a", "b", "c"))
    names = ["c", "a", "b", "a", "c", "b"]
    expected = F.cross_entropy(head(embedding), torch.tensor([2, 0, 1, 0, 2, 1]))
    torch.testing.assert_close(head.loss(embedding, names)["domain_loss"], expected)


def test_mixed_precision_costs_no_precision(embedding):
    head = DomainHead(768)
    half = embedding.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = head.loss(half, [S, T] * 3)["domain_loss"]
    assert got.dtype == torch.float32
    assert torch.equal(got, head.loss(half.float(), [S, T] * 3)["domain_loss"])


@pytest.mark.parametrize("name", [None, "elsewhere"])
def test_an_image_without_a_known_domain_is_named(name):
    with pytest.raises(ValueError, match=rf"images/1\.png: domain must be .*target, got {name}"):
        DomainHead(4).domains_of(samples([S, name], [1, 0]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"domains": ("a",)}, "two different names at least, got"),
        ({"domains": ("a", "a", "b")}, "two different names at least, got"),
        ({"domains": "ab"}, "two different names at least, got 'ab'"),
        ({"loss_weight": -1.0}, "loss_weight must be >= 0 .* got -1.0"),
        ({"average": "all"}, "average 'domains' or 'samples', .* 'all'"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(settings, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build({"type": "DomainHead", "in_channels": 4, **settings})
