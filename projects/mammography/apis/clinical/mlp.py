"""The published network for clinical variables and scores of images."""

import copy
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

HIDDEN = 128
DROP_RATE = 0.2


def clinical_network(inputs: int, hidden: int = HIDDEN) -> nn.Sequential:
    """Return a hidden layer with ReLU and dropout, and one logit.

    Args:
        inputs: Number of columns.
        hidden: Width of the hidden layer.

    Example:
        >>> clinical_network(5)(torch.zeros(2, 5)).shape
        torch.Size([2, 1])
    """
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Dropout(DROP_RATE), nn.Linear(hidden, 1)
    )


@dataclass
class ClinicalMLP:
    """Multi-layer perceptron as published: 128 units, dropout 0.2, AdamW, early stop.

    Training stops when the loss on the validation patients has not fallen for ``patience``
    epochs, and the weights of the epoch with the lowest one are taken. Random numbers are
    its own: the same seed gives the same network, whatever was drawn before.

    Attributes:
        seed: Of weights, batches and dropout.
        lr: Learning rate.
        weight_decay: Decoupled, of AdamW.
        batch_size: Patients per step.
        max_epochs: At most so many.
        patience: Epochs without a lower validation loss before the end.
        losses: Validation loss of each epoch, after :meth:`fit`.

    References:
        The clinical model of Mammography-nils, npj Digit Med 2025;8:425.
    """

    seed: int = 0
    lr: float = 0.01
    weight_decay: float = 1e-4
    batch_size: int = 32
    max_epochs: int = 100
    patience: int = 16
    losses: list[float] = field(default_factory=list, init=False)

    def fit(
        self, x: ArrayLike, y: ArrayLike, x_validation: ArrayLike, y_validation: ArrayLike
    ) -> Self:
        """Train on some patients, stop by others.

        Shapes:
            x, x_validation: ``(N, C)`` and ``(M, C)``; y, y_validation: ``(N,)`` and ``(M,)``.
        """
        inputs, truth = _tensor(x), _tensor(y)[:, None]
        held_out, held_out_truth = _tensor(x_validation), _tensor(y_validation)[:, None]
        loss_of = nn.BCEWithLogitsLoss()
        self.losses = []
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            self.network = clinical_network(inputs.shape[1])
            optimizer = torch.optim.AdamW(
                self.network.parameters(), lr=self.lr, weight_decay=self.weight_decay
            )
            best = copy.deepcopy(self.network.state_dict())
            while len(self.losses) < self.max_epochs and not self._has_waited():
                self.network.train()
                for rows in torch.split(torch.randperm(len(inputs)), self.batch_size):
                    optimizer.zero_grad()
                    loss_of(self.network(inputs[rows]), truth[rows]).backward()
                    optimizer.step()
                self.network.eval()
                with torch.no_grad():
                    self.losses.append(float(loss_of(self.network(held_out), held_out_truth)))
                if self.losses[-1] == min(self.losses):
                    best = copy.deepcopy(self.network.state_dict())
        self.network.load_state_dict(best)
        self.network.eval()
        return self

    def predict(self, x: ArrayLike) -> NDArray[np.float64]:
        """Return the probability of class 1. Shapes: ``(N, C)`` to ``(N,)``."""
        with torch.no_grad():
            probability = torch.sigmoid(self.network(_tensor(x))[:, 0].double())
        return np.asarray(probability.numpy())

    def _has_waited(self) -> bool:
        best = int(np.argmin(self.losses)) if self.losses else 0
        return len(self.losses) - 1 - best >= self.patience


def _tensor(values: ArrayLike) -> Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))
