import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn
from torchvision.models import resnet18

from golden import golden
from mammography.functional.batch_norm import (
    Moments,
    find_norm_layers,
    measure_moments,
    mix_with_source,
    normalize,
    normalize_by_batch,
)
from ranks import run_on_ranks
from shared_batch import normalized_on_ranks


@pytest.fixture
def case():
    """Input, settings of the layer, batches, and expected values, in float64."""
    cases = golden("01_bn_statistics")
    given = {k: v for k, v in cases["input"].items() if k not in ("dtype", "batch_sizes", "eps")}
    tensors = {k: torch.tensor(v, dtype=torch.float64) for k, v in given.items()}
    batches = tensors["x"].split(cases["input"]["batch_sizes"])
    return tensors, batches, cases["expected"]


def close(ours, theirs):
    torch.testing.assert_close(
        ours, torch.as_tensor(theirs, dtype=torch.float64), rtol=1e-10, atol=1e-10
    )


def pooled(batches):
    total = measure_moments(batches[0])
    for batch in batches[1:]:
        total = total.merge(measure_moments(batch))
    return total


def test_pooled_moments_are_those_of_the_population_and_not_of_equal_batches(case):
    _, batches, expected = case
    total, population = pooled(batches), expected["pooled_population"]
    close(total.mean, population["mean"])
    close(total.variance(unbiased=False), population["var_biased"])
    close(total.variance(unbiased=True), population["var_unbiased"])
    assert abs(total.mean[0] - expected["torch_update_bn"]["mean"][0]) > 0.02


def test_moments_merge_in_any_order(case):
    _, batches, _ = case
    a, b = pooled(batches), pooled(batches[::-1])
    close(a.mean, b.mean)
    close(a.squares, b.squares)


def test_one_batch_gives_what_torch_update_bn_stores_and_equal_batches_its_mean():
    torch.manual_seed(0)
    batches = [3 + torch.rand(6, 4, 5, 5), torch.rand(6, 4, 5, 5)]
    layer = nn.BatchNorm2d(4)
    update_bn([batches[0]], layer)
    one = measure_moments(batches[0])
    torch.testing.assert_close(one.mean.float(), layer.running_mean)
    torch.testing.assert_close(one.variance(unbiased=True).float(), layer.running_var)
    update_bn(batches, layer)
    both = pooled(batches)
    torch.testing.assert_close(both.mean.float(), layer.running_mean)
    # What lies between the batches is in the pooled variance only.
    assert (both.variance(unbiased=True) > 10 * layer.running_var).all()


def test_a_batch_is_normalised_as_in_training_mode(case):
    tensors, batches, expected = case
    affine = tensors["weight"], tensors["bias"]
    with torch.no_grad():
        out, _ = normalize_by_batch(batches[0], *affine, 1e-5)
    close(out, expected["tent_norm_no_stats_output_batch0"])
    close(normalize_by_batch(batches[0], *affine, 1e-5)[0], out)  # torch's kernel, with gradient


def test_stored_statistics_normalise_as_in_evaluation_mode(case):
    tensors, batches, expected = case
    stored = tensors["running_mean0"], tensors["running_var0"]
    out = normalize(batches[0], *stored, tensors["weight"], tensors["bias"], 1e-5)
    close(out, expected["source_eval_output_batch0"])


@pytest.mark.parametrize("prior_count", [0, 16, 256])
def test_mixed_statistics_are_those_of_schneider(case, prior_count):
    tensors, batches, expected = case
    theirs = expected[f"schneider_prior_N{prior_count}_n8"]
    source = tensors["running_mean0"], tensors["running_var0"]
    mean, variance = mix_with_source(source, measure_moments(batches[0]), prior_count, 8)
    close(mean, theirs["mixed_mean"])
    close(variance, theirs["mixed_var"])
    out = normalize(batches[0], mean, variance, tensors["weight"], tensors["bias"], 1e-5)
    close(out, theirs["out"])


def test_a_large_mean_does_not_drown_a_small_deviation():
    """float32 loses it in E[x^2] - E[x]^2: 100^2 and 0.01^2 are eight digits apart."""
    x = 100 + 0.01 * torch.randn(64, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    ours = measure_moments(x).variance(unbiased=True)
    torch.testing.assert_close(ours, x.double().var((0, 2, 3)), rtol=1e-4, atol=0)


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 5), (2, 4, 3, 5), (2, 4, 2, 2, 2)])
@pytest.mark.parametrize("channels_last", [False, True])
def test_moments_of_any_shape_and_layout_are_those_of_the_transposed_matrix(shape, channels_last):
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    if channels_last:
        x = x.transpose(1, -1).contiguous().transpose(1, -1)
    rows = x.transpose(0, 1).reshape(4, -1).double()
    moments = measure_moments(x)
    torch.testing.assert_close(moments.mean, rows.mean(1), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(moments.variance(unbiased=True), rows.var(1), rtol=1e-5, atol=0)
    assert moments.count == rows.shape[1]


def test_images_that_are_measured_part_by_part_are_one_set():
    """Nine images of 2 x 512 x 256 values, each brighter than the one before."""
    x = torch.rand(9, 2, 512, 256, generator=torch.Generator().manual_seed(0))
    x += torch.arange(9)[:, None, None, None]
    moments = measure_moments(x)
    torch.testing.assert_close(moments.mean, x.double().mean((0, 2, 3)), rtol=1e-6, atol=0)
    expected = x.double().var((0, 2, 3))
    torch.testing.assert_close(moments.variance(unbiased=True), expected, rtol=1e-6, atol=0)


def test_torch_s_own_kernel_gives_the_same_moments():
    """It is used with gradients, on GPUs, and for the layout NHWC."""
    x = 3 + torch.randn(4, 3, 2, 2, generator=torch.Generator().manual_seed(0))
    expected = measure_moments(x)
    weight, bias = torch.ones(3), torch.zeros(3)
    with torch.no_grad():
        _, by_layout = normalize_by_batch(
            x.to(memory_format=torch.channels_last), weight, bias, 1e-5
        )
    _, by_gradient = normalize_by_batch(x, weight, bias, 1e-5)
    for moments in (by_layout, by_gradient):
        torch.testing.assert_close(vars(moments), vars(expected), rtol=1e-5, atol=0)


def test_in_bfloat16_the_moments_are_those_of_the_rounded_values_in_float32():
    x = (5 + torch.randn(16, 3, 7, 7, generator=torch.Generator().manual_seed(0))).bfloat16()
    torch.testing.assert_close(
        measure_moments(x).mean, x.double().mean((0, 2, 3)), rtol=1e-6, atol=0
    )
    with torch.no_grad():
        out, _ = normalize_by_batch(x, torch.ones(3), torch.zeros(3), 1e-5)
    assert out.dtype == torch.bfloat16
    expected = nn.functional.batch_norm(x.float(), None, None, training=True)
    torch.testing.assert_close(out.float(), expected, rtol=0.01, atol=0.01)


def test_rows_that_do_not_count_are_normalised_with_the_others():
    torch.manual_seed(0)
    x, weight, bias = torch.randn(4, 3, 5, 5), torch.rand(3), torch.rand(3)
    counted = torch.tensor([True, True, False, True])
    out, moments = normalize_by_batch(x, weight, bias, 1e-5, counted)
    expected = nn.functional.batch_norm(x[counted], None, None, weight, bias, training=True)
    torch.testing.assert_close(out[counted], expected)
    assert moments.count == 75
    assert out[2].isfinite().all()


def test_two_processes_normalise_and_learn_as_one_does(tmp_path):
    """Shares of 3 and 2 rows, of which one repeats another; outputs, moments and gradients."""
    alone = normalized_on_ranks()
    first, second = run_on_ranks(normalized_on_ranks, tmp_path)
    together = {
        name: torch.cat([first[name], second[name]]) if name in ("out", "gradient") else first[name]
        for name in alone
    }
    for name, value in alone.items():
        torch.testing.assert_close(together[name], value, rtol=1e-12, atol=1e-12)
    assert all(torch.equal(first[name], second[name]) for name in ("mean", "squares", "count"))


def test_one_value_per_channel_is_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"more than one value per channel.*\(1, 3, 1, 1\).*batch"):
        normalize_by_batch(torch.rand(1, 3, 1, 1), None, None, 1e-5)


def test_a_single_value_has_variance_zero():
    zero = torch.zeros(1, dtype=torch.float64)
    moments = Moments(torch.ones((), dtype=torch.float64), zero, zero)
    assert moments.variance(unbiased=True) == 0


def test_all_norms_of_a_network_are_found_whatever_their_mode():
    expected = golden("01b_bn_freezing_semantics")["expected"]["resnet18"]
    model = nn.SyncBatchNorm.convert_sync_batchnorm(resnet18()).eval()
    layers = find_norm_layers(model)
    assert len(layers) == expected["bn_layers"]
    assert (
        sum(p.numel() for m in layers.values() for p in m.parameters())
        == (expected["bn_affine_params"])
    )
    others = nn.Sequential(nn.LayerNorm(3), nn.GroupNorm(1, 3), nn.InstanceNorm2d(3))
    assert not find_norm_layers(others)
