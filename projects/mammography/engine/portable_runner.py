"""A runner that does on CPUs what MMEngine's does on GPUs, and keeps the console short."""

import datetime
import logging
from collections import Counter
from typing import Any, ClassVar

import torch
from mmengine.dist import is_distributed
from mmengine.model import revert_sync_batchnorm
from mmengine.runner import Runner
from mmpretrain.registry import RUNNERS
from torch import nn

# What MMEngine says about its own code: dropped.
_ABOUT_ITSELF = ('"FileClient"', '"HardDiskBackend"')
# What fills some hundred lines, or is said to everybody: goes to the log file only.
_FOR_THE_FILE = (
    "\n------",  # the machine
    "Config:\n",
    "paramwise_options",  # several lines per parameter
    "Hooks will be executed",
    "Distributed training is not used",
)


class _Unless(logging.Filter):
    """Drop messages by how they begin."""

    def __init__(self, beginnings: tuple[str, ...]) -> None:
        super().__init__()
        self.beginnings = beginnings

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith(self.beginnings)


@RUNNERS.register_module()
class PortableRunner(Runner):
    """Run on GPUs or CPUs, on one process or several, from the same config.

    Without a GPU, processes talk through gloo, and SyncBN becomes BN: each process then
    normalises by its own part of the batch. Testing and resuming need a checkpoint that
    matches the model: MMEngine alone would go on with random weights.
    """

    _exact = False
    _starts: ClassVar[Counter[str]] = Counter()

    def setup_env(self, env_cfg: dict[str, Any]) -> None:
        """Join the other processes.

        Raises:
            ValueError: If another launcher than torchrun is used without a GPU.
        """
        if self.distributed and not torch.cuda.is_available() and not is_distributed():
            if self.launcher != "pytorch":
                raise ValueError(
                    f"launcher must be pytorch on a machine without a GPU, got {self.launcher}: "
                    "use tools/dist_train.sh"
                )
            seconds = env_cfg.get("dist_cfg", {}).get("timeout", 1800)
            torch.distributed.init_process_group(
                "gloo", timeout=datetime.timedelta(seconds=seconds)
            )
        super().setup_env(env_cfg)
        # MMEngine names loggers and folders by the second; runs of one process shared them.
        self._starts[self._timestamp] += 1
        if (number := self._starts[self._timestamp]) > 1:
            self._timestamp += f"_{number}"

    def build_logger(self, *args: Any, **kwargs: Any) -> logging.Logger:
        """Build the logger; the console gets what a user reads, the file all of it."""
        logger: logging.Logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            to_file = isinstance(handler, logging.FileHandler)
            handler.addFilter(_Unless(_ABOUT_ITSELF + (() if to_file else _FOR_THE_FILE)))
        return logger

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Make the model parallel, on CPUs as well."""
        if self.distributed and not torch.cuda.is_available():
            if any(isinstance(module, nn.SyncBatchNorm) for module in model.modules()):
                self.logger.warning(
                    "SyncBN needs a GPU: it is BN here, over the images of each process alone."
                )
                model = revert_sync_batchnorm(model)
            model_wrapper_cfg = {
                "broadcast_buffers": False,
                "find_unused_parameters": self.cfg.get("find_unused_parameters", False),
                **(model_wrapper_cfg or {}),
                "device_ids": None,
            }
        wrapped: nn.Module = super().wrap_model(model_wrapper_cfg, model)
        return wrapped

    def test(self) -> dict[str, Any]:
        """Test the checkpoint.

        Raises:
            RuntimeError: If its weights are not those of the model.
        """
        self._exact = True
        metrics: dict[str, Any] = super().test()
        return metrics

    def resume(self, filename: str, *args: Any, **kwargs: Any) -> None:
        """Continue from a checkpoint.

        Raises:
            RuntimeError: If its weights are not those of the model.
        """
        self._exact = True
        super().resume(filename, *args, **kwargs)

    def load_checkpoint(
        self, filename: str, map_location: Any = "cpu", strict: bool = False, **kwargs: Any
    ) -> Any:
        """Load weights; a test and a resumed run take only weights that fit exactly."""
        return super().load_checkpoint(filename, map_location, strict or self._exact, **kwargs)
