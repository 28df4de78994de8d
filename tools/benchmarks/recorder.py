"""Recording activations: what it adds to training when every 50th step is recorded.

One step of a ResNet-18 on 8 images of 224 x 224, forward and backward, with all its batch norms
recorded, gradients as well in the second line, and the file written. Ours is a step on average of
50, theirs a step without recording: at most 10 % more.
"""

import tempfile
from pathlib import Path

import torch
from mmpretrain.models import ResNet
from tools.benchmarks.timing import Ratio, compare

from mammography.engine.activation_files import write_recording
from mammography.engine.activation_recorder import ActivationRecorder
from mammography.functional.batch_norm import find_norm_layers

INTERVAL = 50
LARGEST_SHARE = 0.1


def measure(model, images, path, *, gradients):
    layers = find_norm_layers(model)

    def step():
        model.zero_grad()
        model(images)[0].square().mean().backward()

    def recorded_step():
        recorder = ActivationRecorder(layers, gradients=gradients)
        with recorder:
            step()
        write_recording(path, recorder, {"phase": "train"})

    once = compare("", recorded_step, step)
    average = once.theirs + (once.ours - once.theirs) / INTERVAL
    what = "activations and gradients" if gradients else "activations"
    name = f"A step, every {INTERVAL}th recorded ({what})"
    return Ratio(name, average, once.theirs, goal=1 / (1 + LARGEST_SHARE))


def run() -> list[Ratio]:
    torch.manual_seed(0)
    model = ResNet(depth=18, in_channels=1)
    images = torch.rand(8, 1, 224, 224)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.npz"
        return [measure(model, images, path, gradients=each) for each in (False, True)]
