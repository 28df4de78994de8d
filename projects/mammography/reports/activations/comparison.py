"""How far apart what two recordings hold is, layer by layer."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from mammography.functional.distances import (
    frechet_distance,
    kolmogorov_smirnov_per_channel,
    squared_mmd,
    symmetric_kl_of_gaussians,
    wasserstein1_per_channel,
)
from mammography.reports.activations.recording import Gaussians, LayerRecord, Recording

# Time and memory of the discrepancy grow with the square of this.
MMD_VECTORS = 1000
# Added to variances that divide, where a layer has no eps of its own: that of torch's norms.
EPS = 1e-5


@dataclass(frozen=True)
class Measure:
    """A distance of two layers.

    Attributes:
        label: What it is called.
        meaning: What it is, in a sentence.
        of: Takes both layers; None where one of them lacks what it needs.
    """

    label: str
    meaning: str
    of: Callable[[LayerRecord, LayerRecord], float | None]


@dataclass(frozen=True)
class LayerComparison:
    """Distances of one layer of two recordings.

    Attributes:
        layer: Its name.
        first: Name of the one recording.
        second: Name of the other one.
        distances: By the name of the measure; without those that the layer has not.
    """

    layer: str
    first: str
    second: str
    distances: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LayerFacts:
    """What one recording says about one layer.

    Attributes:
        layer: Its name.
        name: Name of the recording.
        channels: C.
        count: Values per channel.
        constant: Channels of variance 0.
        mean_variance: Mean over the channels of their variance.
        stored_kl: How far what the batch norm stores is from what entered it: symmetric KL of
            Gaussians, mean over the channels; None without either.
    """

    layer: str
    name: str
    channels: int
    count: int
    constant: int
    mean_variance: float
    stored_kl: float | None


def find_common_layers(recordings: Sequence[Recording]) -> list[str]:
    """Return the layers that all recordings have, in the order of the first.

    Raises:
        ValueError: If there is none.
    """
    first, *others = recordings
    common = [n for n in first.layers if all(n in other.layers for other in others)]
    if not common:
        each = "; ".join(f"{r.name}: {', '.join(r.layers[:3])} ..." for r in recordings)
        raise ValueError(f"the recordings must have a layer in common, got {each}")
    return common


def describe_layer(layer: str, name: str, record: LayerRecord) -> LayerFacts:
    """Return what a recording says about a layer."""
    return LayerFacts(
        layer,
        name,
        len(record.values),
        record.count,
        int((record.all_values.variance == 0).sum()),
        float(record.all_values.variance.mean()),
        _mean_kl(record.stored, record.entered, record.eps or EPS),
    )


def compare_layer(layer: str, records: dict[str, LayerRecord]) -> Iterator[LayerComparison]:
    """Yield the distances of every pair of recordings.

    Raises:
        ValueError: If the layer has not the same number of channels in all of them.
    """
    widths = {name: len(record.values) for name, record in records.items()}
    if len(set(widths.values())) > 1:
        each = ", ".join(f"{width} in {name}" for name, width in widths.items())
        raise ValueError(f"{layer}: the number of channels must be the same, got {each}")
    for (first, a), (second, b) in combinations(records.items(), 2):
        found = {name: measure.of(a, b) for name, measure in MEASURES.items()}
        known = {name: value for name, value in found.items() if value is not None}
        yield LayerComparison(layer, first, second, known)


def _mean_w1(a: LayerRecord, b: LayerRecord) -> float:
    return float(wasserstein1_per_channel(a.values, b.values).mean())


def _mean_relative_w1(a: LayerRecord, b: LayerRecord) -> float:
    pooled = (a.all_values.variance + b.all_values.variance) / 2
    return float((wasserstein1_per_channel(a.values, b.values) / np.sqrt(pooled + EPS)).mean())


def _mean_ks(a: LayerRecord, b: LayerRecord) -> float:
    return float(kolmogorov_smirnov_per_channel(a.values, b.values).mean())


def _mean_output_kl(a: LayerRecord, b: LayerRecord) -> float | None:
    return _mean_kl(a.all_values, b.all_values, EPS)


def _mean_input_kl(a: LayerRecord, b: LayerRecord) -> float | None:
    return _mean_kl(a.entered, b.entered, max(a.eps, b.eps) or EPS)


def _mean_kl(a: Gaussians | None, b: Gaussians | None, eps: float) -> float | None:
    if a is None or b is None:
        return None
    divergence = symmetric_kl_of_gaussians(a.mean, a.variance + eps, b.mean, b.variance + eps)
    return float(divergence.mean())


def _frechet(a: LayerRecord, b: LayerRecord) -> float:
    sides = [(v.mean(axis=1), np.atleast_2d(np.cov(v))) for v in _as_float64(a, b)]
    return frechet_distance(*sides[0], *sides[1])


def _mmd(a: LayerRecord, b: LayerRecord) -> float:
    x, y = (values[:, _spread(values.shape[1])].T for values in _as_float64(a, b))
    return squared_mmd(x, y)


def _as_float64(*records: LayerRecord) -> list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    return [record.values.astype(np.float64) for record in records]


def _spread(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    kept = min(count, MMD_VECTORS)
    return np.arange(kept) * count // kept


MEASURES = {
    "w1": Measure("W1", "1-Wasserstein distance of a channel, in the unit of its values", _mean_w1),
    "w1_sd": Measure(
        "W1 / SD",
        "the same in standard deviations of the channel, both recordings pooled",
        _mean_relative_w1,
    ),
    "ks": Measure("KS", "largest difference of the distribution functions, 0 to 1", _mean_ks),
    "kl": Measure(
        "sym. KL",
        "KL one way plus the other of Gaussians fitted to a channel, nats",
        _mean_output_kl,
    ),
    "bn_kl": Measure(
        "sym. KL, BN input", "the same of what enters a batch norm, before it", _mean_input_kl
    ),
    "frechet": Measure(
        "Fréchet",
        "squared Fréchet distance of Gaussians fitted to vectors of all channels",
        _frechet,
    ),
    "mmd2": Measure(
        "MMD²",
        "unbiased squared maximum mean discrepancy of the vectors, Gaussian kernel of median width",
        _mmd,
    ),
}
