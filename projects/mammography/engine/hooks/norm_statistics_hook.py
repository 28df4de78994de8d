"""Which statistics the batch norms normalise with in validation and test."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmpretrain.registry import HOOKS
from mmpretrain.utils import get_ori_model
from torch import nn
from torch.utils.data import DataLoader

from mammography.engine.entropy_minimization import EntropyMinimization
from mammography.engine.norm_statistics import (
    BatchShare,
    BatchStatistics,
    FixedStatistics,
    MixedStatistics,
    NormStatistics,
    name_norms,
    share_batches,
)
from mammography.engine.target_statistics import measure_target_statistics
from mammography.functional.batch_norm import find_norm_layers

# Each choice and what can be set for it.
_OPTIONS = {
    "running": (),
    "batch": (),
    "target": ("dataloader", "batch_size"),
    "mixed": ("prior_count",),
    "entropy": ("optimizer", "steps"),
}
_PHASES = ("val", "test")


@HOOKS.register_module()
class NormStatisticsHook(Hook):
    """Choose the statistics of all batch norms, BN and SyncBN, frozen ones too.

    - ``running``: the averages of training, stored in the checkpoint ("tr").
    - ``batch``: those of each batch ("tt"). A prediction then depends on the images that
      share its batch.
    - ``target``: those of the target set, without its labels (AdaBN), measured before
      every validation or test in one more pass over its images.
    - ``mixed``: between ``running`` and ``batch``, by the size of the batch.
    - ``entropy``: those of each batch, while weights and biases of the batch norms learn
      from the entropy of the predictions (TENT). A batch is predicted before it is learned
      from. About two more passes.

    The batch is that of all processes together, so several give the answer of one with
    as many images per batch in all; images that a sampler repeats do not count. The model
    itself is never changed: see :mod:`mammography.engine.norm_statistics`.

    Args:
        statistics: The choice.
        when: Where it holds: ``val``, ``test`` or both.
        prior_count: N of ``mixed``, >= 0: the number of images that the averages of
            training count for, beside the n of the batch. 16 by default.
        dataloader: The target set of ``target``: config of a loader, whose order does not
            matter; ``batch_size`` and ``collate_fn`` are those of the tested images if it has
            none. By default the images that are tested: they adapt the model that predicts them.
        batch_size: Images per batch and process when ``target`` measures; by default that
            of the loader. Few images make the deeper layers see what they never will.
        optimizer: Config of the optimizer of ``entropy``; Adam with lr 0.001 by default.
        steps: Steps of ``entropy`` on each batch, >= 1; 1 by default.

    Raises:
        ValueError: If the choice is unknown, or an option is out of range or of another choice;
            before a run, if the model has no batch norm and another choice than ``running``.

    References:
        ``batch``: Nado et al. 2020, arXiv:2006.10963; ``target``: Li et al. 2016,
        arXiv:1603.04779; ``mixed``: Schneider et al. 2020, arXiv:2006.16971; ``entropy``:
        Wang et al. 2021, arXiv:2006.10726.
    """

    priority = "LOW"  # when an average of the weights (EMAHook) is in its place

    def __init__(
        self,
        statistics: str,
        when: Sequence[str] = ("test",),
        *,
        prior_count: float | None = None,
        dataloader: dict[str, Any] | None = None,
        batch_size: int | None = None,
        optimizer: dict[str, Any] | None = None,
        steps: int | None = None,
    ) -> None:
        given = {
            "prior_count": prior_count,
            "dataloader": dataloader,
            "batch_size": batch_size,
            "optimizer": optimizer,
            "steps": steps,
        }
        _check_choice(statistics, {name for name, value in given.items() if value is not None})
        _check_range("prior_count", prior_count, 0)
        _check_range("batch_size", batch_size, 1)
        _check_range("steps", steps, 1)
        if isinstance(when, str) or not when or not set(when) <= set(_PHASES):
            raise ValueError(f"NormStatisticsHook: when must be some of {_PHASES}, got {when!r}")
        self.statistics, self.when = statistics, tuple(when)
        self.prior_count = 16.0 if prior_count is None else float(prior_count)
        self.dataloader, self.batch_size = dataloader, batch_size
        self.optimizer = dict(optimizer or {"type": "Adam", "lr": 1e-3})
        self.steps = steps or 1
        self._undo = ExitStack()
        self._context: NormStatistics | None = None
        self._shares: list[BatchShare] = []
        self._entropies: list[float] = []
        self._target: DataLoader[Any] | None = None

    def before_run(self, runner: Runner) -> None:
        """Say at the start what the choice is about, or that there is nothing to choose."""
        self._end()  # of a run that an error has cut short
        layers, model = find_norm_layers(runner.model), get_ori_model(runner.model)
        if not layers and self.statistics != "running":
            raise ValueError(
                f"NormStatisticsHook: statistics={self.statistics!r} needs a model with batch "
                f"norm, got {name_norms(model)}: there is nothing but statistics='running' for it"
            )
        what = f"{len(layers)} batch norms" if layers else f"no batch norm, {name_norms(model)}"
        runner.logger.info(
            "NormStatisticsHook: %s statistics in %s (%s)",
            self.statistics,
            " and ".join(self.when),
            what,
        )

    def _before_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Put the statistics in."""
        if mode not in self.when:
            return
        self._end()  # of an epoch that an error has cut short
        if self.statistics != "running":
            loop = runner.val_loop if mode == "val" else runner.test_loop
            context = self._build_context(runner, loop, get_ori_model(runner.model))
            self._shares = share_batches(loop.dataloader)
            self._context = self._undo.enter_context(context)

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, mode: str = "train"
    ) -> None:
        """Tell the layers which images of the batch count."""
        if self._context and mode in self.when:
            self._context.share = self._shares[batch_idx]

    def _after_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Any = None,
        mode: str = "train",
    ) -> None:
        """Learn from the batch that was predicted."""
        if isinstance(self._context, EntropyMinimization) and mode in self.when:
            entropies = [self._context.update(data_batch) for _ in range(self.steps)]
            self._entropies.append(entropies[0])

    def _after_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Take the statistics out."""
        if mode not in self.when:
            return
        if self._entropies:
            runner.logger.info(
                "NormStatisticsHook: mean entropy %.4f nats, %.4f in the last batch",
                sum(self._entropies) / len(self._entropies),
                self._entropies[-1],
            )
        self._end()

    def _end(self) -> None:
        self._undo.close()
        self._context, self._entropies = None, []

    def _build_context(self, runner: Runner, loop: BaseLoop, model: nn.Module) -> NormStatistics:
        if self.statistics == "mixed":
            return MixedStatistics(model, self.prior_count)
        if self.statistics == "entropy":
            return EntropyMinimization(model, self.optimizer)
        if self.statistics == "batch":
            return BatchStatistics(model)
        loader = self._target_loader(runner, loop.dataloader)
        size = self.batch_size or loader.batch_size
        if size is None:
            raise ValueError(
                "NormStatisticsHook: batch_size must be named for a loader with a batch sampler, "
                "got none"
            )
        moments = measure_target_statistics(
            model, loader, size, seed=runner.seed, mixed_precision=getattr(loop, "fp16", False)
        )
        runner.logger.info(
            "NormStatisticsHook: measured on %d images in batches of %d: %d batch norms%s",
            len(loader.dataset),  # type: ignore[arg-type]
            size,
            len(moments),
            _unseen(model, moments),
        )
        return FixedStatistics(model, moments)

    def _target_loader(self, runner: Runner, tested: DataLoader[Any]) -> DataLoader[Any]:
        if self.dataloader is None:
            return tested
        if self._target is None:
            settings = {
                "batch_size": tested.batch_size,
                "num_workers": 0,
                "collate_fn": tested.collate_fn,
                **self.dataloader,
                "sampler": {"type": "DefaultSampler", "shuffle": False},
            }
            for order in ("batch_sampler", "drop_last", "shuffle"):
                settings.pop(order, None)
            self._target = runner.build_dataloader(settings, seed=runner.seed)
        return self._target


def _check_choice(statistics: str, given: set[str]) -> None:
    if statistics not in _OPTIONS:
        raise ValueError(
            f"NormStatisticsHook: statistics must be one of {', '.join(_OPTIONS)}, got "
            f"{statistics!r}"
        )
    if wrong := sorted(given - set(_OPTIONS[statistics])):
        takes = ", ".join(_OPTIONS[statistics]) or "no option"
        raise ValueError(
            f"NormStatisticsHook: statistics={statistics!r} takes {takes}, got {', '.join(wrong)}"
        )


def _check_range(name: str, value: float | None, smallest: float) -> None:
    if value is not None and not value >= smallest:
        raise ValueError(f"NormStatisticsHook: {name} must be >= {smallest}, got {value}")


def _unseen(model: nn.Module, moments: Mapping[str, Any]) -> str:
    left = [name for name in find_norm_layers(model) if name not in moments]
    return f"; nothing passed through {', '.join(left)}: as stored" if left else ""
