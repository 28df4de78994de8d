"""Recordings of activations as RecordActivationsHook leaves them, of invented values."""

from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from mammography.engine.activation_files import write_recording
from mammography.engine.activation_recorder import ActivationRecorder


def write_invented(
    path: Path,
    layers: dict[str, nn.Module],
    inputs: dict[str, Any],
    domain: str = "source",
    gradients: bool = False,
) -> Path:
    """Write what the layers give for their inputs, of two images of a domain."""
    recorder = ActivationRecorder(layers, max_values=500, gradients=gradients)
    with recorder:
        for name, layer in layers.items():
            out = layer(inputs[name])
            if gradients:
                out.square().sum().backward()
    about = {
        "phase": "test",
        "iteration": 70,
        "config": "small",
        "model": "SmallNet",
        "checkpoint": "epoch_2.pth",
        "image_id": ["a", "b"],
        "domain": [domain, domain],
    }
    write_recording(path, recorder, about)
    return path


def read_array(path: Path, name: str) -> np.ndarray:
    """Return an array of a file."""
    with np.load(path) as file:
        return file[name]
