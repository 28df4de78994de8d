import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.neural_network import MLPClassifier
from torch import nn

from golden import golden
from mammography.apis.clinical.mlp import ClinicalMLP, clinical_network


def planted(count, seed, skill=1.5):
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    return rng.normal(size=(count, 4)) + skill * labels[:, None] * [1, 0, 0, 0], labels


def test_the_forward_pass_agrees_with_scikit_learn():
    case = golden("09_clinical")["expected"]["mlp_forward"]
    model = ClinicalMLP()
    model.network = clinical_network(3, hidden=4).double().eval()
    linear = [layer for layer in model.network if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for layer, weight, bias in zip(linear, case["coefs"], case["intercepts"], strict=True):
            layer.weight.copy_(torch.tensor(weight, dtype=torch.float64).T)
            layer.bias.copy_(torch.tensor(bias, dtype=torch.float64))
        inputs = torch.tensor(case["X"], dtype=torch.float64)
        probability = torch.sigmoid(model.network(inputs)[:, 0])
    np.testing.assert_allclose(probability.numpy(), case["proba"], rtol=1e-9)


def test_it_is_the_published_network():
    layers = clinical_network(7)
    assert [type(layer) for layer in layers] == [nn.Linear, nn.ReLU, nn.Dropout, nn.Linear]
    assert sum(p.numel() for p in layers.parameters()) == 7 * 128 + 128 + 128 + 1
    assert layers[2].p == 0.2
    model = ClinicalMLP()
    told = (model.lr, model.weight_decay, model.batch_size, model.max_epochs, model.patience)
    assert told == (0.01, 1e-4, 32, 100, 16)


def test_the_epoch_with_the_lowest_validation_loss_is_taken_and_training_waits_no_longer():
    x, y = planted(80, 0, skill=0.8)
    x_val, y_val = planted(60, 1, skill=0.8)
    model = ClinicalMLP(seed=3).fit(x, y, x_val, y_val)
    best = int(np.argmin(model.losses))
    assert len(model.losses) == best + 1 + model.patience < model.max_epochs
    scores = model.predict(x_val)
    loss = -np.mean(np.log(np.where(y_val == 1, scores, 1 - scores)))
    assert loss == pytest.approx(min(model.losses), rel=1e-5)


def test_it_finds_what_scikit_learn_finds():
    (x, y), (x_val, y_val), (x_test, y_test) = planted(300, 0), planted(100, 1), planted(400, 2)
    ours = ClinicalMLP().fit(x, y, x_val, y_val).predict(x_test)
    theirs = MLPClassifier(128, early_stopping=True, random_state=0, max_iter=500).fit(x, y)
    areas = [area(y_test, s) for s in (ours, theirs.predict_proba(x_test)[:, 1])]
    assert areas[0] == pytest.approx(areas[1], abs=0.03)
    # The scores are probabilities: those of the true model of two normals, on the whole.
    truth = expit(1.5 * x_test[:, 0] - 1.5**2 / 2)
    assert np.mean(np.abs(ours - truth)) < 0.1


def area(labels, scores):
    above = scores[labels == 1][:, None] - scores[labels == 0]
    return np.mean((above > 0) + 0.5 * (above == 0))


def test_a_seed_gives_the_same_network_whatever_was_drawn_before():
    x, y = planted(60, 0)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = ClinicalMLP(seed=1).fit(x, y, x, y).predict(x)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    np.testing.assert_array_equal(ClinicalMLP(seed=1).fit(x, y, x, y).predict(x), first)
    assert (ClinicalMLP(seed=2).fit(x, y, x, y).predict(x) != first).any()
