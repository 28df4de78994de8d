"""The threshold: chosen on the validation, carried by the checkpoint, applied to the test."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS

from mammography.functional.operating_points import RULES

PLACE = "CarryThresholdHook"
KEY = "operating_points"
COUNTS = ("tp", "fp", "tn", "fn")
SHARES = ("sensitivity", "specificity", "ppv", "recall_rate")


@HOOKS.register_module()
class CarryThresholdHook(Hook):
    """Choose thresholds at each validation and let the checkpoint of those weights carry them.

    With a ``ScreeningMetric`` in ``val_evaluator`` and ``test_evaluator``::

        custom_hooks = [
            dict(type="CarryThresholdHook", rule="sensitivity_at_specificity", at_least=0.9),
        ]

    A threshold belongs to the weights whose scores it divides. So it goes into the metadata
    of the best checkpoint, when a validation finds one, and of the checkpoint of the same
    epoch, which was written before the validation and is written again; never into one of
    other weights. ``tools/test.py`` applies what the checkpoint carries: ``metrics.json`` has the
    metrics at it, and says by which rule, on what and after which epoch it was chosen. A
    checkpoint without one (no validation since its weights changed) is tested without, and the
    log says so. Nothing is ever chosen on test images.

    Args:
        rule: ``youden``, ``sensitivity_at_specificity`` and ``specificity_at_sensitivity``
            (``at_least``), ``least_cost`` (``cost_ratio``, ``prevalence``) or ``best_f_score``
            (``beta``), which makes the most of the probabilistic F1; see
            :mod:`~mammography.functional.operating_points`.
        **options: Of the rule.

    Raises:
        ValueError: If there is no such rule or its options do not suit it; if training begins
            without a ``ScreeningMetric`` in ``val_evaluator``.
    """

    priority = "LOWEST"  # after the best checkpoint was written

    def __init__(self, rule: str = "youden", **options: Any) -> None:
        if rule not in RULES:
            raise ValueError(f"{PLACE}: rule must be one of {', '.join(RULES)}, got {rule!r}")
        try:
            RULES[rule]([0, 1], [0.0, 1.0], **options)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{PLACE}: rule {rule!r}: {error}") from error
        self.rule = {"rule": rule, **options}
        self._validated_at: int | None = None  # the iteration whose weights were validated
        self._without: dict[str, int] | None = None  # the last checkpoint that lacks them
        self._carried: Mapping[str, Any] = {}

    def before_train(self, runner: Runner) -> None:
        """Check that there is what chooses."""
        if runner.val_loop is not None and not _screening(runner.val_evaluator):
            raise ValueError(
                f"{PLACE}: val_evaluator must have a ScreeningMetric, got "
                f"{', '.join(type(metric).__name__ for metric in runner.val_evaluator.metrics)}"
            )

    def before_val(self, runner: Runner) -> None:
        """Let the metrics choose, from the scores of the weights of this iteration."""
        self._validated_at = runner.iter
        for metric in _screening(runner.val_evaluator):
            metric.rule, metric.details = self.rule, {}

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Put the thresholds into the metadata, if the last validation was of these weights."""
        meta = checkpoint["meta"]
        if meta["iter"] == self._validated_at and (chosen := self._chosen(runner)):
            meta[KEY] = {name: {**c, "epoch": meta["epoch"]} for name, c in chosen.items()}
            self._without = None
        else:
            self._without = {"epoch": meta["epoch"], "iter": meta["iter"]}

    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Write the checkpoint of this epoch again if it was written without thresholds."""
        meta = self._without  # of the first process alone, as checkpoints are
        if meta is None or meta["iter"] != self._validated_at or not self._chosen(runner):
            return
        hook = next(hook for hook in runner.hooks if isinstance(hook, CheckpointHook))
        runner.save_checkpoint(
            hook.out_dir,
            Path(str(hook.last_ckpt)).name,
            save_optimizer=hook.save_optimizer,
            save_param_scheduler=hook.save_param_scheduler,
            meta=dict(meta),
            by_epoch=hook.by_epoch,
            backend_args=hook.backend_args,
            **hook.args,
        )

    def _chosen(self, runner: Runner) -> dict[str, dict[str, Any]]:
        """Return what the last validation chose, by task."""
        data = runner.cfg.val_dataloader.get("dataset", {})
        found = {}
        for metric in _screening(runner.val_evaluator):
            for name, details in metric.details.items():
                if point := details.get("operating_point"):
                    found[name] = {
                        "threshold": point["threshold"],
                        "level": point["level"],
                        "pooling": point["pooling"],
                        **point["chosen"],
                        "validation": {key: point[key] for key in (*COUNTS, *SHARES)},
                        "ann_file": data.get("ann_file"),
                    }
        return found

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Take the thresholds out of the checkpoint."""
        self._carried = checkpoint.get("meta", {}).get(KEY, {})

    def before_test(self, runner: Runner) -> None:
        """Hand the carried thresholds to the metrics."""
        metrics = _screening(runner.test_evaluator)
        for metric in metrics:
            metric.rule, metric.carried = None, self._carried
        if metrics and not self._carried:
            runner.logger.warning(
                f"{PLACE}: the checkpoint carries no threshold, as no validation chose one for its "
                "weights: there are no metrics at a threshold. The best checkpoint carries one"
            )


def _screening(evaluator: Any) -> list[Any]:
    """Return the metrics that know thresholds."""
    return [metric for metric in evaluator.metrics if hasattr(metric, "carried")]
