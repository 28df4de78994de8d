import copy

import pytest
import torch
from mmengine.dataset import default_collate
from mmpretrain.registry import MODELS
from torch import nn

from golden import golden
from mammography.engine.entropy_minimization import EntropyMinimization, mean_entropy
from mammography.engine.norm_statistics import BatchShare
from mammography.models.heads.masked_multi_task_head import MaskedMultiTaskHead
from mammography.models.tta.multi_task_tta_model import MultiTaskTTAModel
from norm_cases import TwoLooks, classifier

SGD = {"type": "SGD", "lr": 0.1}


class Network(nn.Module):
    """What is used of a model of MMEngine, around layers that give logits."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def data_preprocessor(self, data, training):
        assert not training
        return data

    def forward(self, inputs, data_samples=None, mode="tensor"):
        assert mode == "tensor"
        return self.layers(inputs)


def network(outputs=1):
    torch.manual_seed(0)
    pool = (nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return Network(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), *pool, nn.Linear(4, outputs)).eval()


@pytest.fixture
def batch():
    return {"inputs": torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))}


def test_a_step_is_that_of_tent():
    cases = golden("01_bn_statistics")
    case = cases["expected"]["tent_sgd_lr0.1"]
    state = case["init_state"]
    out, channels = torch.tensor(state["0.weight"]).shape[:2]
    pool = (nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    convolution = nn.Conv2d(channels, out, 1, bias=False)
    model = Network(convolution, nn.BatchNorm2d(out), *pool, nn.Linear(out, 2)).double().eval()
    model.layers.load_state_dict(
        {k: torch.tensor(v, dtype=torch.float64) for k, v in state.items()}
    )
    x = torch.tensor(cases["input"]["x"], dtype=torch.float64)[
        : len(case["logits_step1_pre_update"])
    ]
    norm = model.layers[1]

    def close(ours, theirs):
        theirs = torch.tensor(theirs, dtype=torch.float64)
        torch.testing.assert_close(ours.detach(), theirs, rtol=1e-10, atol=1e-10)

    with EntropyMinimization(model, SGD) as minimization, torch.no_grad():
        close(model(x), case["logits_step1_pre_update"])
        assert minimization.update({"inputs": x}) == pytest.approx(case["entropy1"], abs=1e-10)
        close(minimization.copies[norm.weight], case["params_after_step1"]["1.weight"])
        close(minimization.copies[norm.bias], case["params_after_step1"]["1.bias"])
        close(model(x), case["logits_step2"])
        assert minimization.update({"inputs": x}) == pytest.approx(case["entropy2"], abs=1e-10)
    close(norm.weight, state["1.weight"])


def test_one_logit_learns_as_two_classes_of_which_the_first_has_logit_zero(batch):
    """The softmax over one logit is 1 and teaches nothing."""
    one = network()
    two = copy.deepcopy(one)
    last = nn.Linear(4, 2)
    last.weight.data = torch.cat([torch.zeros(1, 4), one.layers[5].weight.data])
    last.bias.data = torch.cat([torch.zeros(1), one.layers[5].bias.data])
    two.layers[5] = last
    learned = []
    for model in (one, two):
        with EntropyMinimization(model, SGD) as minimization:
            before = minimization.update(batch)
            assert minimization.update(batch) < before
            learned.append(list(minimization.copies.values()))
    torch.testing.assert_close(*learned)
    assert not torch.allclose(learned[0][0], one.layers[1].weight)


def test_the_model_is_as_before_afterwards(batch):
    model = network()
    model.train()
    model.layers[1].weight.requires_grad_(False)
    model.layers[5].weight.grad = torch.ones(1, 4)
    state = copy.deepcopy(model.state_dict())
    flags = [p.requires_grad for p in model.parameters()]
    with EntropyMinimization(model, SGD) as minimization:
        minimization.update(batch)
        assert flags == [p.requires_grad for p in model.parameters()]
    assert all(torch.equal(state[name], tensor) for name, tensor in model.state_dict().items())
    assert flags == [p.requires_grad for p in model.parameters()]
    assert model.training
    assert torch.equal(model.layers[5].weight.grad, torch.ones(1, 4))
    assert model.layers[1].bias.grad is None


def test_images_that_fill_up_teach_nothing(batch):
    learned = []
    for rows, counted in (([0, 1, 2], [True] * 3), ([0, 1, 2, 0], [True] * 3 + [False])):
        with EntropyMinimization(network(), SGD) as minimization:
            minimization.share = BatchShare(counted, total=3)
            minimization.update({"inputs": batch["inputs"][rows]})
            learned.append(list(minimization.copies.values()))
    torch.testing.assert_close(*learned)


def test_shared_parameters_stay_shared(batch):
    model = network()
    model.layers.insert(2, nn.BatchNorm2d(4))
    model.layers[2].weight, model.layers[2].bias = model.layers[1].weight, model.layers[1].bias
    with EntropyMinimization(model.eval(), SGD) as minimization:
        minimization.update(batch)
        assert len(minimization.copies) == 2


def test_a_classifier_with_several_tasks_becomes_surer():
    torch.manual_seed(0)
    model = MODELS.build(classifier()).eval()
    data = default_collate([TwoLooks()[i] for i in range(4)])
    with EntropyMinimization(model, {"type": "Adam", "lr": 0.01}) as minimization:
        entropies = [minimization.update(data) for _ in range(4)]
    assert entropies == sorted(entropies, reverse=True)


def test_versions_of_an_image_teach_their_mean(batch):
    torch.manual_seed(0)
    inner = MODELS.build(classifier()).eval()
    data = default_collate([TwoLooks()[i] for i in range(4)])
    twice = {key: [value, value] for key, value in data.items()}
    learned = []
    for model, given in ((inner, data), (MultiTaskTTAModel(inner), twice)):
        with EntropyMinimization(model, SGD) as minimization:
            minimization.update(given)
            learned.append(list(minimization.copies.values()))
    torch.testing.assert_close(*learned)


def test_the_entropy_is_the_mean_over_tasks_with_classes():
    tasks = {
        "malignant": {"kind": "binary"},
        "birads": {"kind": "multiclass", "num_classes": 4},
        "density": {"kind": "ordinal", "num_classes": 4},
        "grade": {"kind": "ordinal", "num_classes": 3, "method": "coral"},
        "size": {"kind": "regression"},
    }
    torch.manual_seed(0)
    head = MaskedMultiTaskHead(tasks, 8)
    feats = (torch.randn(5, 8),)
    scores = [sample.pred_scores for sample in head.predict(feats)]
    ours = mean_entropy(head(feats), head)
    for row, score in zip(ours, scores, strict=True):
        distributions = [
            [1 - score["malignant"], score["malignant"]],
            *(score[name] for name in ("birads", "density", "grade")),
        ]
        entropies = [
            torch.distributions.Categorical(torch.tensor(d)).entropy() for d in distributions
        ]
        torch.testing.assert_close(row, torch.stack(entropies).mean())


def test_a_head_of_one_tensor_needs_no_description():
    logits = torch.randn(5, 3)
    expected = torch.distributions.Categorical(logits=logits).entropy()
    torch.testing.assert_close(mean_entropy(logits), expected)


def test_numbers_alone_are_refused():
    head = MaskedMultiTaskHead({"size_mm": {"kind": "regression"}}, 4)
    with pytest.raises(ValueError, match="a task that tells classes apart, got size_mm"):
        mean_entropy(head((torch.rand(2, 4),)), head)


@pytest.mark.parametrize("outputs", [torch.rand(2, 3, 4), (torch.rand(2, 3),)])
def test_what_is_no_logits_is_refused(outputs):
    with pytest.raises(ValueError, match=r"needs logits of shape \(N, K\) from mode='tensor', got"):
        mean_entropy(outputs)


def test_norms_without_weights_have_nothing_to_learn():
    with pytest.raises(ValueError, match="must have a weight and a bias to train"):
        EntropyMinimization(nn.Sequential(nn.BatchNorm2d(2, affine=False)), SGD)
