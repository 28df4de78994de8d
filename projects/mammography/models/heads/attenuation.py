"""The learned noise of logits, in training and in evaluation."""

import torch
from torch import Tensor, nn

from mammography.functional.entropy import probability_entropy
from mammography.functional.loss_attenuation import fixed_noise, noise_std, noisy_logits


class Attenuation(nn.Module):
    """Split what a layer gives out into logits and the variance of their noise, and sample.

    Training draws fresh noise from the global generator; evaluation uses one fixed set of
    points for all images, so that a prediction depends on its image alone. One and the same
    variance is trained and reported.

    Shapes:
        Outputs ``(N, 2 K)``: K logits, then K logarithms of variances.

    Args:
        classes: K; 1 for the one logit of yes or no.
        samples: T in training. The estimate of the loss is biased upwards, less with more.
        test_samples: T in evaluation, best a power of two.
        seed: Of the points of the evaluation.

    Raises:
        ValueError: If there is no sample.
    """

    nodes: Tensor

    def __init__(
        self, classes: int, *, samples: int = 10, test_samples: int = 256, seed: int = 0
    ) -> None:
        super().__init__()
        for name, count in (("samples", samples), ("test_samples", test_samples)):
            if count < 1:
                raise ValueError(f"attenuation: {name} must be at least 1, got {count}")
        self.classes, self.samples = classes, samples
        # Follows from the arguments, so a checkpoint need not hold it.
        self.register_buffer("nodes", fixed_noise(test_samples, classes, seed), persistent=False)

    def logits(self, outputs: Tensor) -> Tensor:
        """Return the means of the logits, ``(N, K)``."""
        return outputs[:, : self.classes]

    def std(self, outputs: Tensor) -> Tensor:
        """Return the standard deviations of the logits, ``(N, K)``."""
        return noise_std(outputs[:, self.classes :])

    def forward(self, outputs: Tensor) -> Tensor:
        """Return samples of the logits, ``(T, N, K)``."""
        logits = self.logits(outputs)
        noise = self.nodes[:, None].to(logits.dtype)
        if self.training:
            noise = torch.randn(self.samples, *logits.shape, device=logits.device)
        return noisy_logits(logits, self.std(outputs), noise)

    def uncertainty(self, outputs: Tensor, probabilities: Tensor) -> dict[str, Tensor]:
        """Return ``total``, ``aleatoric`` and ``variance`` (the mean over the classes), ``(N,)``.

        One set of weights knows no epistemic part: all of the entropy is aleatoric.
        """
        entropy = probability_entropy(probabilities)
        variance = self.std(outputs).square().mean(1)
        return {"total": entropy, "aleatoric": entropy, "variance": variance}
