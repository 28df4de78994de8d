"""A few SwAV steps with a queue, run alone and on several ranks."""

import torch
from torch import Tensor, distributed, nn
from torch.nn.functional import normalize
from torch.nn.parallel import DistributedDataParallel

from mammography.models.losses.global_swav_loss import GlobalSwAVLoss
from ssl_cases import draw, share, small_encoder

QUEUE_LENGTH = 11  # odd: two ranks hold shares of 6 and 5


class QueueModel(nn.Module):
    """An encoder under SwAV's loss with a queue."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = small_encoder()
        torch.manual_seed(7)
        self.loss = GlobalSwAVLoss(4, 5, num_crops=(2, 1), queue_length=QUEUE_LENGTH).double()

    def forward(self, crops: Tensor) -> Tensor:
        features: Tensor = normalize(self.encoder(crops), dim=-1)
        return self.loss(features.flatten(0, 1))


def train_steps(steps: range = range(5), state: dict[str, Tensor] | None = None) -> dict:
    """Train on batches of 8 images with 3 crops; return the state after each step."""
    model = QueueModel()
    if state:
        model.load_state_dict(state)
    wrapped = DistributedDataParallel(model) if distributed.is_initialized() else model
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    states = {}
    for step in steps:
        optimizer.zero_grad()
        wrapped(share(draw(100 + step, 3, 8, 6), dim=1)).backward()
        optimizer.step()
        states[step] = {name: value.clone() for name, value in model.state_dict().items()}
    return states
