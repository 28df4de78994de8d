"""Training by epochs that an interruption does not change."""

from typing import Any

from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpretrain.registry import LOOPS

from mammography.engine.seeding import STEP, derive_seed, seed_generators

LENGTH = "iters_per_epoch"


@LOOPS.register_module()
class ReproducibleEpochLoop(EpochBasedTrainLoop):
    """Train by epochs; a resumed run ends with the weights of an uninterrupted one.

    It continues inside an epoch, with the batch that was next, when the checkpoint was
    written there (``CheckpointHook`` with ``by_epoch=False``). Random numbers follow from
    the seed and the position: of a sample, whatever worker loads it; of a step, for each
    process its own. Equality is exact where the arithmetic is: on CPU; on GPU with
    ``randomness.deterministic``; on several processes inside an epoch with SyncBN, as a
    checkpoint holds the BN statistics of the first process only; when gradients are
    accumulated for checkpoints between two optimizer steps.

    Args:
        runner: Runner that trains.
        dataloader: Config of the data loader.
        max_epochs: Epochs to train.
        **settings: ``val_begin``, ``val_interval``, ``dynamic_intervals`` of
            :class:`mmengine.runner.EpochBasedTrainLoop`.

    Raises:
        TypeError: If ``dataloader`` is built already: its samples could not be numbered.
    """

    def __init__(
        self, runner: Runner, dataloader: dict[str, Any], max_epochs: int, **settings: Any
    ) -> None:
        if not isinstance(dataloader, dict):
            raise TypeError(
                "ReproducibleEpochLoop: dataloader must be a config, "
                f"got {type(dataloader).__name__}"
            )
        numbered = dict(
            dataloader,
            dataset={
                "type": "SeededDataset",
                "dataset": dataloader["dataset"],
                "seed": runner.seed,
            },
            sampler={"type": "NumberedSampler", "sampler": dataloader["sampler"]},
        )
        super().__init__(runner, numbered, max_epochs, **settings)
        self._epoch: int = 0
        self._iter: int = 0
        self._done = 0

    def run(self) -> Any:
        """Train from where the run stands.

        Raises:
            ValueError: If it stands inside an epoch of another length.
        """
        if self._epoch >= self._max_epochs:
            self.runner.logger.info(
                f"The run has had its {self._max_epochs} epochs: there is nothing to train."
            )
        self._done = self._steps_done_in_epoch()
        self.runner.message_hub.update_info(LENGTH, len(self.dataloader))
        return super().run()

    def run_epoch(self) -> None:
        """Train one epoch, or what is left of it."""
        done, self._done = self._done, 0
        self._seed_step()
        self.runner.call_hook("before_train_epoch")
        self._start_sampler_at(done)
        self.runner.model.train()
        for index, batch in enumerate(self.dataloader, start=done):
            self._seed_step()
            self.run_iter(index, batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _seed_step(self) -> None:
        position = (self._iter, self.runner.rank)
        seed_generators(derive_seed(self.runner.seed, STEP, *position))

    def _start_sampler_at(self, step: int) -> None:
        loader = self.dataloader
        sampler, size = loader.sampler, loader.batch_size
        if size is None:  # a config with a batch sampler of its own
            sampler, size = loader.batch_sampler.sampler, loader.batch_sampler.batch_size
        sampler.set_epoch(self._epoch, first=step * size)

    def _steps_done_in_epoch(self) -> int:
        """Return how many steps of the current epoch the checkpoint has seen."""
        length = len(self.dataloader)
        before = int(self.runner.message_hub.runtime_info.get(LENGTH, length))
        done = self._iter - self._epoch * before
        if done == 0 and before != length:
            self._iter = self._epoch * length
            self._warn(f"an epoch has {length} steps, it had {before} in the checkpoint")
        elif before != length or not 0 <= done <= length:
            raise ValueError(
                f"resume: an epoch must have the {before} steps it had when it was interrupted "
                f"after {done} of them, got {length}: keep the batch size and the number of "
                "processes, or resume from a checkpoint between two epochs"
            )
        if done % getattr(self.runner.optim_wrapper, "_accumulative_counts", 1):
            self._warn("the gradients accumulated since the last optimizer step are lost")
        if self._iter and self.runner.cfg.get("randomness", {}).get("seed") is None:
            self._warn("randomness.seed is not set")
        return done

    def _warn(self, reason: str) -> None:
        self.runner.logger.warning(
            f"The run goes on, but not as it would have without the interruption: {reason}."
        )
