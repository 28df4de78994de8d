import copy

import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmpretrain.models import ResNet
from torch import nn
from torch.optim.swa_utils import update_bn
from torch.utils.data import DataLoader

from mammography.engine import norm_statistics
from mammography.engine.norm_statistics import (
    BatchShare,
    BatchStatistics,
    FixedStatistics,
    MixedStatistics,
    share_batches,
)
from mammography.functional.batch_norm import find_norm_layers, measure_moments


def network(layer=nn.BatchNorm2d):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), layer(4), nn.ReLU(), nn.Conv2d(4, 4, 3), layer(4, momentum=None)
    )
    model(torch.rand(9, 1, 8, 8))  # statistics of something else
    return model.eval()


@pytest.fixture
def images():
    return 2 + 3 * torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def run(model, images):
    return model(images)


CONTEXTS = [
    BatchStatistics,
    lambda model: MixedStatistics(model, 16),
    lambda model: FixedStatistics(model, dict.fromkeys("14", measure_moments(torch.rand(9, 4)))),
]


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("layer", [nn.BatchNorm2d, nn.SyncBatchNorm])
def test_inside_the_model_predicts_otherwise_and_nothing_of_it_has_changed(context, layer, images):
    model = network(layer)
    model.train()
    model[1].eval()
    before, state = run(model.eval(), images), copy.deepcopy(model.state_dict())
    model.train()
    model[1].eval()
    modes = [module.training for module in model.modules()]
    with context(model):
        assert not torch.allclose(run(model, images), before)
        assert [module.training for module in model.modules()] == modes
    assert [module.training for module in model.modules()] == modes
    assert not any("forward" in vars(module) for module in model.modules())
    for a, b in zip(model.state_dict().values(), state.values(), strict=True):
        assert torch.equal(a, b)
    assert torch.equal(run(model.eval(), images), before)


def test_an_error_inside_leaves_the_model_as_it_was(images):
    model = network()
    before = run(model, images)
    with pytest.raises(RuntimeError, match="stop"), BatchStatistics(model):
        raise RuntimeError("stop")
    assert torch.equal(run(model, images), before)


def test_contexts_nest(images):
    model = network()
    with BatchStatistics(model):
        outer = run(model, images)
        with MixedStatistics(model, 16):
            assert not torch.allclose(run(model, images), outer)
        assert torch.equal(run(model, images), outer)


def test_statistics_of_the_batch_are_those_of_training_mode(images):
    model = network()
    with BatchStatistics(model):
        ours = run(model, images)
    torch.testing.assert_close(ours, run(model.train(), images))


def test_without_a_prior_mixed_statistics_are_the_unbiased_ones_of_the_batch(images):
    model = nn.Sequential(nn.BatchNorm2d(1)).eval()
    with MixedStatistics(model, 0):
        ours = run(model, images)
    update_bn([images], model)
    torch.testing.assert_close(ours, run(model, images))


def test_a_great_prior_leaves_the_stored_statistics(images):
    model = network()
    before = run(model, images)
    with MixedStatistics(model, 1e9):
        torch.testing.assert_close(run(model, images), before)


def test_the_batch_counts_as_many_images_as_it_is_told():
    """Sixteen crops of two images weigh as two."""
    model, crops = nn.Sequential(nn.BatchNorm2d(1)).eval(), 5 * torch.rand(16, 1, 4, 4)
    with MixedStatistics(model, 6) as context:
        context.share = BatchShare([True, True], total=2)
        ours = run(model, crops)
    mean = 0.25 * crops.mean()
    variance = 0.75 + 0.25 * crops.var()
    torch.testing.assert_close(ours, (crops - mean) / (variance + 1e-5).sqrt())


def test_given_statistics_are_used_as_if_they_were_stored(images):
    model = network()
    reference = copy.deepcopy(model)
    update_bn([images], reference)
    layers = find_norm_layers(reference)
    shifted = {}
    for name, layer in layers.items():
        moments = measure_moments(torch.randn(50, 4, generator=torch.Generator().manual_seed(2)))
        layer.running_mean.copy_(moments.mean)
        layer.running_var.copy_(moments.variance(unbiased=True))
        shifted[name] = moments
    with FixedStatistics(model, shifted):
        torch.testing.assert_close(run(model, images), run(reference.eval(), images))


def test_frozen_stages_and_norm_eval_make_no_difference(images):
    """They keep the norms in evaluation mode; PreciseBN passes them over in silence."""
    settings = {"depth": 18, "in_channels": 1, "base_channels": 4, "stem_channels": 4}
    frozen = ResNet(**settings, frozen_stages=2, norm_eval=True)
    plain = ResNet(**settings)
    plain.load_state_dict(frozen.state_dict())
    images = images.repeat(1, 1, 8, 8)
    frozen.train()
    with BatchStatistics(frozen):
        ours = run(frozen, images)[0]
    torch.testing.assert_close(ours, run(plain.train() or plain, images)[0])


def test_a_model_without_batch_norm_is_refused_with_what_it_has():
    model = nn.Sequential(nn.Linear(2, 2), nn.LayerNorm(2))
    with pytest.raises(ValueError, match=r"must have batch norm, got LayerNorm in Sequential"):
        BatchStatistics(model)


def test_a_layer_that_stores_nothing_has_nothing_to_mix():
    model = nn.Sequential(nn.BatchNorm2d(2), nn.BatchNorm2d(2, track_running_stats=False))
    with pytest.raises(ValueError, match=r"got none in 1: .*track_running_stats=False"):
        MixedStatistics(model, 16)


def test_the_layer_of_a_batch_that_is_too_small_is_named():
    model = nn.Sequential(nn.Conv2d(1, 2, 8), nn.BatchNorm2d(2)).eval()
    with (
        pytest.raises(ValueError, match=r"^1: the statistics of a batch need more than one"),
        BatchStatistics(model),
    ):
        run(model, torch.rand(1, 1, 8, 8))


def test_on_one_process_every_image_counts():
    loader = DataLoader(range(7), batch_size=3, sampler=DefaultSampler(range(7), shuffle=False))
    shares = share_batches(loader)
    assert [share.total for share in shares] == [3, 3, 1]
    assert all(all(share.counted) for share in shares)
    assert shares[0].rows(torch.rand(3, 2)) is None


def of_processes(monkeypatch, batches, rank=1):
    monkeypatch.setattr(norm_statistics, "all_gather_object", lambda mine: batches)
    monkeypatch.setattr(norm_statistics, "process_rank", lambda: rank)
    return share_batches(DataLoader(range(3)))


def test_images_that_fill_up_do_not_count(monkeypatch):
    """Seven images, two processes, batches of two: the second process ends with the first image."""
    dealt = [[[0, 2], [4, 6]], [[1, 3], [5, 0]]]
    first, last = of_processes(monkeypatch, dealt)
    assert (first.counted, first.total) == ([True, True], 4)
    assert (last.counted, last.total) == ([True, False], 3)
    assert last.rows(torch.rand(6, 2)).tolist() == [True] * 3 + [False] * 3  # three crops each
    with pytest.raises(ValueError, match="as many for each of 2 images, got 5 rows"):
        last.rows(torch.rand(5, 2))


def test_processes_with_different_numbers_of_batches_are_refused(monkeypatch):
    with pytest.raises(ValueError, match=r"as many batches on each, got 2, 1: .*round_up=True"):
        of_processes(monkeypatch, [[[0], [2]], [[1]]])
