import numpy as np
import pytest
import torch

from mammography.engine.channel_summary import ChannelSummary


def numbered(first, images, channels=3, places=(2, 5)):
    """Activations whose value tells position and channel: 1000 * channel + position."""
    count = images * places[0] * places[1]
    positions = torch.arange(first, first + count, dtype=torch.float32).reshape(images, 1, *places)
    return positions + 1000 * torch.arange(channels)[:, None, None]


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_column_is_one_place_of_one_image_and_none_is_drawn_twice(layout):
    summary = ChannelSummary(7, (0,))
    for first in (0, 30):
        summary.add(numbered(first, 3).contiguous(memory_format=layout))
    values = summary.values()
    assert values.shape == (3, 7)
    assert values.dtype == np.float32
    np.testing.assert_array_equal(values - values[0], [[0] * 7, [1000] * 7, [2000] * 7])
    assert len(set(values[0])) == 7
    assert set(values[0]) <= set(range(60))


def test_few_values_are_kept_whole():
    summary = ChannelSummary(100, (0,))
    for first in (0, 30, 60):
        summary.add(numbered(first, 3))
    assert sorted(summary.values()[0]) == list(range(90))


def test_over_several_calls_every_position_is_as_likely():
    counts = np.zeros(40)
    for seed in range(1500):
        summary = ChannelSummary(8, (seed,))
        for first, images in ((0, 1), (10, 2), (30, 1)):
            summary.add(numbered(first, images, channels=1))
        counts[summary.values()[0].astype(int)] += 1
    assert counts.sum() == 8 * 1500
    # Chi-square with 39 degrees of freedom, 99.9th percentile 72; less as drawn without repeats.
    assert np.sum((counts - 300) ** 2 / 300) < 72


def test_the_places_follow_from_seed_and_shape_alone():
    drawn = []
    for seed in (5, 5, 6):
        torch.rand(3)
        np.random.default_rng().random()
        summary = ChannelSummary(4, (seed,))
        summary.add(numbered(0, 4))
        drawn.append(summary.values())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_moments_are_those_of_torch_over_all_values(dtype):
    calls = [5 + 2 * torch.randn(n, 3, 4, 6).to(dtype) for n in (1, 4, 2)]
    summary = ChannelSummary(2, (0,))
    for values in calls:
        summary.add(values)
    everything = torch.cat(calls).double()
    described = summary.describe()
    assert described["count"] == 7 * 24
    np.testing.assert_allclose(described["mean"], everything.mean((0, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(described["variance"], everything.var((0, 2, 3)), rtol=1e-5)


def test_vectors_have_one_place():
    summary = ChannelSummary(9, (0,))
    summary.add(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert sorted(map(tuple, summary.values().T)) == [(1, 2), (3, 4)]


def test_without_values_there_is_nothing_to_describe():
    with pytest.raises(ValueError, match="must be values, got none"):
        ChannelSummary(1, (0,)).describe()
