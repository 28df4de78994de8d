"""Learned loss attenuation: logits with a learned noise, and the likelihood averaged over it.

The noise belongs to the data (how hard an image is to label), not to the weights. The mutual
information between the label and the noise of the logit is therefore no epistemic uncertainty:
the whole entropy of the averaged prediction is aleatoric. What the weights do not know is
seen by several of them only: dropout at test time, or an ensemble.

The likelihood sees the mean probability alone, which a large variance and a small logit make alike.
Which of the two a network learns is decided by what its logit can express: a head on fixed features
learns a variance where labels are noise, a network that trains as a whole may shrink the logit.
Rank images by the entropy, not by the variance.
"""

import math

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor

# exp(10 / 2) = 148: a standard deviation beyond which a prediction cannot get any flatter.
LARGEST_LOG_VARIANCE = 10.0


def noise_std(log_variance: Tensor) -> Tensor:
    """Return the standard deviation of the noise, of the learned logarithm of its variance.

    A logarithm, so that any output of a layer is a variance; bounded, so that no step makes
    it infinite.

    Shapes:
        Any, and the same.

    Example:
        >>> noise_std(torch.tensor([0.0, 1000.0]))
        tensor([  1.0000, 148.4132])
    """
    bounded = _exact(log_variance).clamp(-LARGEST_LOG_VARIANCE, LARGEST_LOG_VARIANCE)
    return torch.exp(bounded / 2)


def noisy_logits(logits: Tensor, std: Tensor, noise: Tensor) -> Tensor:
    """Return T samples of logits, ``logits + std * noise``, in single precision at least.

    Shapes:
        logits and std ``(N, K)``, noise ``(T, N, K)`` or ``(T, 1, K)``; returns ``(T, N, K)``.

    Args:
        logits: Their means.
        std: The standard deviation of each, at least 0.
        noise: Standard normal; drawn for each class, since what is added to all classes alike
            a softmax does not see.
    """
    return _exact(logits) + _exact(std) * noise


def binary_log_probabilities(samples: Tensor) -> Tensor:
    """Return the logarithms of the mean probabilities of class 0 and 1 over T samples.

    The mean is inside the logarithm: ``log(1/T sum_t sigmoid(z_t))``. The mean of the
    cross-entropies would be another loss, and a larger one (Jensen).

    Shapes:
        samples ``(T, N)`` of the one logit; returns ``(N, 2)``.

    References:
        Kendall & Gal 2017, arXiv:1703.04977, equation 12, for one logit.

    Example:
        >>> binary_log_probabilities(torch.tensor([[2.0], [-2.0]])).exp()
        tensor([[0.5000, 0.5000]])
    """
    samples = _exact(samples)
    both = torch.stack([F.logsigmoid(-samples), F.logsigmoid(samples)], dim=-1)
    return _log_mean_exp(both)


def class_log_probabilities(samples: Tensor) -> Tensor:
    """Return the logarithms of the mean class probabilities over T samples.

    Shapes:
        samples ``(T, N, K)`` of the logits; returns ``(N, K)``.

    References:
        Kendall & Gal 2017, arXiv:1703.04977, equation 12 (printed without its minus sign).
    """
    return _log_mean_exp(_exact(samples).log_softmax(-1))


def fixed_noise(samples: int, classes: int, seed: int) -> Tensor:
    """Return standard normal noise for evaluation: seeded, even, the same for every image.

    Points of a scrambled Sobol sequence through the normal quantile function. With a power of two
    of samples each stratum of probability 1 / T holds exactly one point of each class, so the
    mean of anything that rises or falls with the noise is wrong by less than 1 / T of its range;
    T independent draws are wrong by 1 / sqrt(T) of its standard deviation. No global generator
    is touched, and an image is predicted alike in whatever batch.

    Shapes:
        Returns ``(T, K)``.

    Args:
        samples: T.
        classes: K.
        seed: Of the scrambling.

    References:
        Owen, Annals of Statistics 1997;25:1541.

    Example:
        >>> noise = fixed_noise(256, 1, seed=0)
        >>> bool(noise.mean().abs() < 0.02), bool((noise.std() - 1).abs() < 0.02)
        (True, True)
    """
    sobol = torch.quasirandom.SobolEngine(classes, scramble=True, seed=seed)  # type: ignore[no-untyped-call]
    uniform = sobol.draw(samples, dtype=torch.float64)
    smallest = 2.0**-40  # a point may be 0, whose quantile is infinite
    noise: Tensor = torch.special.ndtri(uniform.clamp(smallest, 1 - smallest))
    return noise.float()


def _log_mean_exp(values: Tensor) -> Tensor:
    """Return the logarithm of the mean of exponentials over the first axis."""
    return torch.logsumexp(values, dim=0) - math.log(len(values))


def _exact(values: Tensor) -> Tensor:
    """Leave half precision: a mean of probabilities near 0 or 1 needs more digits."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
