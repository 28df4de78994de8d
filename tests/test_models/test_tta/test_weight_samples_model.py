import copy

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn

from head_cases import samples
from mammography.models.tta.dropout_masks import dropout_layers, dropout_masks
from mammography.models.tta.weight_samples_model import WeightSamplesModel

TASKS = {
    "malignant": {"kind": "binary"},
    "density": {"kind": "ordinal", "num_classes": 4},
    "size": {"kind": "regression"},
}


def config(drop_rate=0.5, **tasks):
    return {
        "type": "ImageClassifier",
        "data_preprocessor": {"mean": [0.5], "std": [0.5], "to_rgb": False},
        "backbone": {
            "type": "mmpretrain.ResNet",
            "depth": 18,
            "in_channels": 1,
            "base_channels": 8,
            "stem_channels": 8,
        },
        "neck": {"type": "GlobalAveragePooling"},
        "head": {
            "type": "MaskedMultiTaskHead",
            "tasks": TASKS | tasks,
            "in_channels": 64,
            "hidden_channels": 16,
            "drop_rate": drop_rate,
        },
    }


def network(seed=0, **options):
    torch.manual_seed(seed)
    model = MODELS.build(config(**options))
    for layer in model.head.layers.values():
        nn.init.normal_(layer.linear.weight)
    return model.eval()


def images(number=4):
    torch.manual_seed(9)
    inputs = list(torch.rand(number, 1, 32, 32))
    return {"inputs": inputs, "data_samples": samples([{"malignant": 1.0}] * number)}


def scores(predicted, task="malignant"):
    return torch.tensor([sample.pred_scores[task] for sample in predicted], dtype=torch.float64)


def entropy(p):
    return torch.special.entr(torch.stack([1 - p, p])).sum(0)


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "b.pth"
    torch.save({"state_dict": network(seed=1).state_dict()}, path)
    return str(path)


def test_an_ensemble_is_the_mean_of_its_networks_and_the_parts_add_up(checkpoint):
    first, second = network(0), network(1)
    each = torch.stack([scores(model.test_step(images())) for model in (first, second)])
    ensemble = WeightSamplesModel(network(0), members=[checkpoint])
    predicted = ensemble.test_step(images())
    torch.testing.assert_close(scores(predicted), each.mean(0))
    for row, sample in enumerate(predicted):
        parts = sample.pred_uncertainty["malignant"]
        assert parts["total"] == pytest.approx(entropy(each.mean(0))[row].item())
        assert parts["aleatoric"] == pytest.approx(entropy(each).mean(0)[row].item())
        assert parts["total"] == pytest.approx(parts["aleatoric"] + parts["epistemic"])
        assert parts["epistemic"] > 0
        assert set(sample.pred_uncertainty["density"]) == {"total", "aleatoric", "epistemic"}
    sizes = torch.stack([scores(model.test_step(images()), "size") for model in (first, second)])
    spread = [sample.pred_uncertainty["size"]["variance"] for sample in predicted]
    assert spread == pytest.approx(sizes.var(0, correction=0).tolist())
    assert predicted[2].img_path == "images/2.png"
    assert predicted[2].gt_targets == {"malignant": 1.0}


def test_a_network_beside_its_copy_is_sure_of_nothing_more_and_nothing_less(tmp_path):
    path = tmp_path / "a.pth"
    torch.save({"state_dict": network(0).state_dict()}, path)
    predicted = WeightSamplesModel(network(0), members=[str(path)]).test_step(images())
    torch.testing.assert_close(scores(predicted), scores(network(0).test_step(images())))
    for sample in predicted:
        assert sample.pred_uncertainty["malignant"]["epistemic"] == pytest.approx(0, abs=1e-12)
        assert sample.pred_uncertainty["size"]["variance"] == pytest.approx(0, abs=1e-12)


def test_a_member_may_be_another_model_of_the_same_tasks(tmp_path):
    other = config(drop_rate=0.0)
    other["backbone"]["base_channels"] = 16
    other["backbone"]["stem_channels"] = 16
    other["head"]["in_channels"] = 128
    torch.manual_seed(2)
    torch.save(MODELS.build(copy.deepcopy(other)).state_dict(), tmp_path / "c.pth")
    member = {"model": other, "checkpoint": str(tmp_path / "c.pth")}
    ensemble = WeightSamplesModel(network(0), members=[member]).eval()
    assert ensemble.others[0].backbone.conv1.out_channels == 16
    assert "epistemic" in ensemble.test_step(images())[0].pred_uncertainty["malignant"]


def test_passes_differ_by_dropout_alone_and_batch_norm_stays_in_evaluation():
    model = network()
    before = copy.deepcopy(model.state_dict())
    wrapped = WeightSamplesModel(model, passes=8).eval()
    predicted = wrapped.test_step(images())
    assert all(s.pred_uncertainty["malignant"]["epistemic"] > 0 for s in predicted)
    assert not any(layer.training for layer in model.modules())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    plain = network().test_step(images())
    torch.testing.assert_close(scores(model.test_step(images())), scores(plain))  # hooks are gone


def test_an_image_is_predicted_alike_in_whatever_batch_and_the_generator_is_left_alone():
    wrapped = WeightSamplesModel(network(), passes=5).eval()
    batch = images()
    before = torch.get_rng_state()
    together = wrapped.test_step(batch)
    assert torch.equal(torch.get_rng_state(), before)
    for row, sample in enumerate(together):
        alone = {key: values[row : row + 1] for key, values in batch.items()}
        (one,) = wrapped.test_step(alone)
        for part, value in one.pred_uncertainty["malignant"].items():
            assert value == pytest.approx(sample.pred_uncertainty["malignant"][part], abs=1e-6)
    other = WeightSamplesModel(network(), passes=5, seed=1).eval()
    assert (scores(other.test_step(images())) != scores(together)).all()


def test_many_passes_have_the_mean_and_the_spread_of_dropout_in_training():
    """The reference is torch: the same head in train mode, where only its dropout acts."""
    model = network()
    features = (torch.rand(1, 64),)
    with torch.no_grad():
        ours = []
        for number in range(4000):
            with dropout_masks(model, 0, number):
                ours.append(model.head(features)["size"].item())
        model.head.train()
        torch.manual_seed(0)
        theirs = [model.head(features)["size"].item() for _ in range(4000)]
    ours, theirs = torch.tensor(ours), torch.tensor(theirs)
    error = (theirs.var() / 4000 * 2) ** 0.5
    assert (ours.mean() - theirs.mean()).abs() < 4 * error
    assert ours.std() == pytest.approx(theirs.std().item(), rel=0.07)


def test_channels_are_dropped_whole_and_kept_values_are_scaled_up():
    layer = nn.Dropout2d(0.25).eval()
    with dropout_masks(layer, 0, 0):
        out = layer(torch.ones(3, 400, 2, 2))
    assert sorted(set(out.flatten().tolist())) == pytest.approx([0, 4 / 3])
    assert torch.equal(out, out[:1, :, :1, :1].expand_as(out))
    assert (out[0, :, 0, 0] == 0).float().mean() == pytest.approx(0.25, abs=0.09)
    assert dropout_layers(nn.Sequential(nn.Dropout(0.0), layer, nn.BatchNorm2d(1))) == [layer]


def test_versions_of_an_image_are_averaged_before_weights_are_compared(checkpoint):
    """What the mirror image changes belongs to the image: it is not epistemic."""
    batch, mirrored = images(), images()
    mirrored["inputs"] = [image.flip(-1) for image in mirrored["inputs"]]
    both = {key: [batch[key], mirrored[key]] for key in batch}
    predicted = WeightSamplesModel(network(0), members=[checkpoint], augmented=True).test_step(both)
    each = [
        (scores(model.test_step(images())) + scores(model.test_step(mirrored))) / 2
        for model in (network(0), network(1))
    ]
    torch.testing.assert_close(scores(predicted), (each[0] + each[1]) / 2)
    want = entropy((each[0] + each[1]) / 2) - (entropy(each[0]) + entropy(each[1])) / 2
    ours = [sample.pred_uncertainty["malignant"]["epistemic"] for sample in predicted]
    assert ours == pytest.approx(want.tolist(), abs=1e-7)


def test_noise_that_each_network_learned_is_aleatoric(tmp_path):
    learned = {"malignant": {"kind": "binary", "attenuation": {}}}
    torch.save(network(1, **learned).state_dict(), tmp_path / "b.pth")
    first, second = network(0, **learned), network(1, **learned)
    each = [model.test_step(images()) for model in (first, second)]
    wrapped = WeightSamplesModel(network(0, **learned), members=[str(tmp_path / "b.pth")])
    for row, sample in enumerate(wrapped.eval().test_step(images())):
        of_each = [said[row].pred_uncertainty["malignant"] for said in each]
        for part in ("aleatoric", "variance"):
            want = sum(parts[part] for parts in of_each) / 2
            assert sample.pred_uncertainty["malignant"][part] == pytest.approx(want)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda c: WeightSamplesModel(network()), "at least 2 sets of weights, got passes=0"),
        (lambda c: WeightSamplesModel(network(), passes=1), "at least 2 sets of weights"),
        (
            lambda c: WeightSamplesModel(network(drop_rate=0.0), passes=5),
            "passes must be 0 for a model without dropout.*got 5: train with drop_rate",
        ),
        (
            lambda c: WeightSamplesModel(
                network(), members=[{"model": config(age={"kind": "regression"}), "checkpoint": c}]
            ),
            "must predict malignant, density, size, got malignant, density, size, age",
        ),
        (
            lambda c: WeightSamplesModel(MODELS.build(config() | {"head": None}), passes=2),
            "the head must say what its tasks are",
        ),
    ],
)
def test_what_gives_no_uncertainty_is_refused(build, message, checkpoint):
    with pytest.raises(ValueError, match=message):
        build(checkpoint)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    torch.save(network(age={"kind": "regression"}).state_dict(), tmp_path / "x.pth")
    with pytest.raises(RuntimeError, match=r"[Uu]nexpected key"):
        WeightSamplesModel(network(), members=[str(tmp_path / "x.pth")])
