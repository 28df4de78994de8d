"""Look inside a network: activations and gradients of chosen layers, as files."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model
from torch import nn

from mammography.engine.activation_files import remove_oldest, write_recording
from mammography.engine.activation_recorder import ActivationRecorder
from mammography.engine.layer_choice import check_patterns, find_layers

PLACE = "RecordActivationsHook"
_PHASES = ("train", "val", "test")


@HOOKS.register_module()
class RecordActivationsHook(Hook):
    r"""Record what chosen layers give for one mini-batch, to compare models and hospitals.

    One line of a config records a test; so does ``tools/test.py ... --cfg-options
    default_hooks.record.type=RecordActivationsHook``::

        custom_hooks = [dict(type="RecordActivationsHook", layers=(r"backbone\.layer4.*bn2",))]

    The files are ``<work_dir>/activations/<phase>_iter_<N>.npz``, N the steps that the weights
    were trained for; :func:`write_recording` says what they hold and
    ``tools/compare_activations.py`` draws and compares them.

    In training every ``interval``-th step is recorded: its whole batch. In a validation
    or test, whole batches that are spread evenly over the set. Layers are watched in those
    steps alone, others cost nothing, and nothing of the training changes. Of several
    processes the first one records its own images. A layer that is called several times in
    a step (crops, a pass per domain) is recorded with all calls.

    Args:
        layers: Dotted names, or regular expressions that match whole names. Any if empty.
        types: Names of classes, derived ones included; ``BatchNorm2d`` takes SyncBN as well,
            ``BatchNorm`` any batch norm. By default batch norms of images if no layers are named,
            else any type. A layer needs one of the names and one of the types.
        when: Some of ``train``, ``val``, ``test``.
        interval: Record every n-th step of training, >= 1.
        gradients: Record gradients of the loss with respect to the outputs as well, in training.
        max_images: Most images of a validation or test, >= 1, though at least one batch.
        max_values_per_channel: Values to keep per channel, >= 2; moments are of all. A file takes
            4 bytes for each: 0.1 GB for all batch norms of a ResNet-50 with 1024. More make
            distances finer; those of vectors want more values than channels.
        max_files: Files to keep of each phase, >= 1: the oldest go, as checkpoints do.
        out_dir: Folder of the files; ``activations`` in the folder of the run by default.
        seed: Of the choice of values.

    Raises:
        ValueError: If a value is out of range; before a run, if a name or type matches nothing or
            the model is compiled; in it, if nothing passes through the layers or one gives
            something else than a tensor.
    """

    priority = "HIGH"  # what other hooks make the model do after a step is not recorded

    def __init__(
        self,
        layers: Sequence[str] = (),
        types: Sequence[str] | None = None,
        when: Sequence[str] = ("test",),
        interval: int = 50,
        *,
        gradients: bool = False,
        max_images: int = 16,
        max_values_per_channel: int = 1024,
        max_files: int = 20,
        out_dir: str | None = None,
        seed: int = 0,
    ) -> None:
        check_patterns(layers, f"{PLACE}: layers")
        check_patterns(types or (), f"{PLACE}: types")
        if isinstance(when, str) or not when or not set(when) <= set(_PHASES):
            raise ValueError(f"{PLACE}: when must be some of {_PHASES}, got {when!r}")
        if gradients and "train" not in when:
            raise ValueError(f"{PLACE}: gradients need 'train' in when, got {when!r}")
        for name, value, least in (
            ("interval", interval, 1),
            ("max_images", max_images, 1),
            ("max_values_per_channel", max_values_per_channel, 2),
            ("max_files", max_files, 1),
        ):
            if value < least:
                raise ValueError(f"{PLACE}: {name} must be >= {least}, got {value}")
        self.names = tuple(layers)
        self.types = tuple(types) if types is not None else None if layers else ("BatchNorm2d",)
        self.when, self.interval, self.gradients = tuple(when), interval, gradients
        self.max_images, self.max_values = max_images, max_values_per_channel
        self.max_files, self.out_dir, self.seed = max_files, out_dir, seed
        self._layers: dict[str, nn.Module] = {}
        self._recorder: ActivationRecorder | None = None
        self._watch = ExitStack()
        self._images: list[dict[str, str]] = []
        self._batches: set[int] = set()
        self._loaded: tuple[str, int] = ("", 0)

    def before_run(self, runner: Runner) -> None:
        """Find the layers, or say what there is instead."""
        if runner.cfg.get("compile") and "train" in self.when:
            raise ValueError(f"{PLACE}: the model must not be compiled, got cfg.compile: drop it")
        self._layers = find_layers(_model_of(runner), self.names, self.types, PLACE)
        runner.logger.info(f"{PLACE}: {len(self._layers)} layers in {' and '.join(self.when)}")

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Note where the weights come from."""
        source = Path(str(getattr(runner, "_load_from", None) or "")).name
        self._loaded = source, int(checkpoint.get("meta", {}).get("iter", 0))

    def _before_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Choose the batches of a validation or test."""
        self._drop()  # of an epoch that an error has cut short
        if mode in self.when and mode != "train":
            loader = (runner.val_loop if mode == "val" else runner.test_loop).dataloader
            size = loader.batch_size or getattr(loader.batch_sampler, "batch_size", 1)
            self._batches = _spread(len(loader), self.max_images // size)

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, mode: str = "train"
    ) -> None:
        """Watch the layers in a step that is recorded."""
        if mode not in self.when or not is_main_process():
            return
        if mode == "train":
            self._drop()
        if self._is_recorded(runner, batch_idx, mode):
            if self._recorder is None:
                training = self.gradients and mode == "train"
                self._recorder = ActivationRecorder(
                    self._layers, self.max_values, gradients=training, seed=self.seed
                )
            if self._recorder.gradients:
                self._recorder.gradient_scale = _loss_scale(runner)
            self._images += _describe_images(data_batch)
            self._watch.enter_context(self._recorder)

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = "train",
    ) -> None:
        """Leave the layers alone; write a step of training."""
        if self._recorder and mode in self.when:
            self._watch.close()
            if mode == "train":
                self._write(runner, mode, runner.iter + 1)

    def _after_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Write a validation or test."""
        if self._recorder and mode in self.when and mode != "train":
            self._write(runner, mode, runner.iter or self._loaded[1])

    def after_run(self, runner: Runner) -> None:
        """Leave no hook on the model."""
        self._drop()

    def _is_recorded(self, runner: Runner, batch_idx: int, mode: str) -> bool:
        if mode == "train":
            return bool(self.every_n_train_iters(runner, self.interval))
        return batch_idx in self._batches

    def _drop(self) -> None:
        self._watch.close()
        self._recorder, self._images = None, []

    def _write(self, runner: Runner, mode: str, iteration: int) -> None:
        recorder, images = self._recorder, self._images
        self._drop()
        if recorder is None:
            return
        if not recorder.seen:
            raise ValueError(
                f"{PLACE}: something must pass through the layers in {mode}, got nothing in "
                f"{', '.join(self._layers)}: choose layers that take part"
            )
        about = {
            "phase": mode,
            "iteration": iteration,
            "config": Path(getattr(runner.cfg, "filename", None) or "").stem,
            "model": type(_model_of(runner)).__name__,
            "checkpoint": self._loaded[0],
            **{name: [image[name] for image in images] for name in ("image_id", "domain")},
        }
        folder = Path(self.out_dir or Path(runner.work_dir) / "activations")
        path = folder / f"{mode}_iter_{iteration}.npz"
        write_recording(path, recorder, about)
        remove_oldest(folder, f"{mode}_iter_*.npz", keep=self.max_files)
        runner.logger.info(f"{PLACE}: {len(recorder.seen)} layers, {len(images)} images: {path}")


def _spread(count: int, wanted: int) -> set[int]:
    """Return at least one and at most ``wanted`` of ``count`` places, evenly spread."""
    wanted = max(1, min(count, wanted))
    return {place * count // wanted for place in range(wanted)}


def _model_of(runner: Runner) -> nn.Module:
    model: nn.Module = get_ori_model(runner.model)
    while isinstance(model, BaseTTAModel):
        model = model.module
    return model


def _loss_scale(runner: Runner) -> float:
    """Return what the loss of the coming step is multiplied by before it goes backward."""
    scaler = getattr(runner.optim_wrapper, "loss_scaler", None)
    accumulated = float(runner.optim_wrapper.scale_loss(torch.ones(())))
    return accumulated * (float(scaler.get_scale()) if scaler else 1.0)


def _describe_images(data_batch: Any) -> Iterator[dict[str, str]]:
    samples = data_batch.get("data_samples") or () if isinstance(data_batch, dict) else ()
    if samples and isinstance(samples[0], list | tuple):
        samples = samples[0]  # of several versions the first
    for sample in samples:
        known = {name: sample.get(name) for name in ("image_id", "domain")}
        yield {name: str(value or "") for name, value in known.items()}
