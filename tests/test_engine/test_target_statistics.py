import time
from itertools import chain

import pytest
import torch
from mmengine.dataset import default_collate
from mmpretrain.registry import MODELS
from torch import nn
from torch.optim.swa_utils import update_bn
from torch.utils.data import DataLoader

from mammography.engine.target_statistics import deal_images, measure_target_statistics
from mammography.functional.batch_norm import find_norm_layers
from norm_cases import TwoLooks, classifier


def build(**changes):
    torch.manual_seed(0)
    return MODELS.build(classifier(**changes))


def loader(length=7, batch_size=3):
    return DataLoader(TwoLooks(length), batch_size, collate_fn=default_collate)


class Alone(nn.Module):
    """A network of a few layers with the part of the interface that is used."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(1, 4, 3, 2),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 6, 3),
            nn.BatchNorm2d(6),
        )

    def test_step(self, data):
        return self.layers(data["inputs"])


def test_moments_are_those_of_all_values_that_a_layer_sees():
    """Compared with the inputs of each layer, kept whole, of a network in training mode."""
    model = build()
    seen = {name: [] for name in find_norm_layers(model)}
    moments = measure_target_statistics(model, loader(), batch_size=3, seed=5)
    for name, layer in find_norm_layers(model).items():
        layer.register_forward_pre_hook(lambda _, x, name=name: seen[name].append(x[0].double()))
    data = TwoLooks(7)
    model.train()
    with torch.no_grad():
        for (batch,), _ in deal_images(7, 3, 1, seed=5):
            model.backbone(torch.stack([data[i]["inputs"] for i in batch]).sub(0.5).div(0.5))
    assert len(seen) == 20
    for name, batches in seen.items():
        values = torch.cat(batches).transpose(0, 1).flatten(1)
        ours = moments[name]
        assert ours.count == values.shape[1]
        torch.testing.assert_close(ours.mean, values.mean(1), rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(
            ours.variance(unbiased=True), values.var(1), rtol=1e-5, atol=1e-6
        )


def test_one_batch_of_all_images_gives_what_torch_update_bn_stores():
    model = Alone()
    moments = measure_target_statistics(model, loader(), batch_size=7)
    update_bn([torch.stack([TwoLooks()[i]["inputs"] for i in range(7)])], model.layers)
    for name, layer in find_norm_layers(model).items():
        ours = moments[name]
        torch.testing.assert_close(ours.mean.float(), layer.running_mean, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ours.variance(unbiased=True).float(), layer.running_var)


@pytest.mark.parametrize("batch_size", [1, 2, 5, 7])
def test_the_first_layer_does_not_depend_on_the_batches(batch_size):
    model = Alone()
    ours = measure_target_statistics(model, loader(), batch_size)["layers.1"]
    expected = measure_target_statistics(model, loader(), 4, seed=3)["layers.1"]
    torch.testing.assert_close(ours.mean, expected.mean, rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(ours.squares, expected.squares, rtol=1e-6, atol=0)


def test_the_larger_the_batches_the_closer_they_come_to_the_whole_set():
    model = Alone()
    whole = measure_target_statistics(model, loader(60), 60)["layers.4"]

    def distance(batch_size):
        ours = measure_target_statistics(model, loader(60), batch_size)["layers.4"]
        return (
            (ours.variance(unbiased=True).log() - whole.variance(unbiased=True).log()).abs().max()
        )

    assert distance(2) > 2 * distance(10)
    assert distance(10) > distance(30)


def test_stored_statistics_frozen_stages_and_modes_play_no_part():
    model = build()
    expected = measure_target_statistics(model, loader(), 3)
    frozen = build(frozen_stages=3, norm_eval=True)
    frozen.load_state_dict(model.state_dict())
    for layer in find_norm_layers(frozen).values():
        layer.running_mean.fill_(7)
    frozen.train()
    modes = {name: module.training for name, module in frozen.named_modules()}
    state = {name: tensor.clone() for name, tensor in frozen.state_dict().items()}
    ours = measure_target_statistics(frozen, loader(), 3)
    assert modes == {name: module.training for name, module in frozen.named_modules()}
    assert all(torch.equal(state[name], tensor) for name, tensor in frozen.state_dict().items())
    assert len(ours) == 20
    assert all(torch.equal(ours[name].squares, expected[name].squares) for name in expected)


def test_a_layer_that_nothing_passes_through_has_no_moments():
    model = Alone()
    model.spare = nn.BatchNorm2d(3)
    assert list(measure_target_statistics(model, loader(), 4)) == ["layers.1", "layers.4"]


@pytest.mark.parametrize(("images", "batch_size"), [(1, 4), (7, 3), (9, 8), (16, 4)])
@pytest.mark.parametrize("processes", [1, 2, 3])
def test_every_image_counts_once_in_batches_that_are_as_even_as_possible(
    images, batch_size, processes
):
    dealt = deal_images(images, batch_size, processes, seed=0)
    pairs = [
        list(zip(own, counted, strict=True))
        for batch in dealt
        for own, counted in zip(*batch, strict=True)
    ]
    assert all(1 <= len(own) <= batch_size for own in pairs)
    assert sorted(i for own in pairs for i, counts in own if counts) == list(range(images))
    totals = [sum(map(sum, counted)) for _, counted in dealt]
    assert max(totals) - min(totals) <= 1
    assert len(totals) == -(-images // (batch_size * processes))


def test_the_batches_of_two_processes_hold_the_images_of_one():
    alone, together = deal_images(9, 4, 1, seed=2), deal_images(9, 2, 2, seed=2)
    for (one, _), (two, counted) in zip(alone, together, strict=True):
        pairs = zip(chain(*two), chain(*counted), strict=True)
        assert sorted(index for index, counts in pairs if counts) == sorted(one[0])


def test_the_order_is_shuffled_by_the_seed_alone():
    orders = [[i for (own,), _ in deal_images(20, 4, 1, seed) for i in own] for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != sorted(orders[0])


@pytest.mark.slow
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_measuring_costs_at_most_a_fifth_more_than_a_test(layout):
    """CPU time, both alternated in one process, the fastest of each; images in memory."""
    config = classifier(depth=50, base_channels=64, stem_channels=64)
    config["head"]["in_channels"] = 2048
    model = MODELS.build(config).eval().to(memory_format=layout)
    images = [TwoLooks()[i] for i in range(8)]
    for image in images:
        image["inputs"] = image["inputs"].repeat(1, 2, 2)  # 192 x 160
    data = DataLoader(images, 8, collate_fn=default_collate)
    times = {"test": [], "measure": []}
    for _ in range(5):
        start = time.process_time()
        with torch.no_grad():
            for batch in data:
                model.test_step(batch)
        middle = time.process_time()
        measure_target_statistics(model, data, 8)
        times["test"].append(middle - start)
        times["measure"].append(time.process_time() - middle)
    assert min(times["measure"]) <= 1.2 * min(times["test"]), times
