"""Tell batch norms that keep a set of statistics per domain which domain the images are of."""

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpretrain.registry import HOOKS, MODELS
from mmpretrain.structures import DataSample
from torch import nn

_PHASES = ("train", "val", "test")


@HOOKS.register_module()
class DomainNormHook(Hook):
    """Route images through the layers of ``norm_cfg=dict(type="DomainBN")``.

    Args:
        domain: One domain for all images, whatever they say: a test on one hospital, or
            with the statistics of the other one. None takes ``domain`` of each data sample.
            (``NormStatisticsHook`` with ``target`` needs it named.)
        when: Where it holds: some of ``train``, ``val``, ``test``. By default all of them,
            or validation and test if the domain is named.

    Raises:
        ValueError: If ``when`` is something else; before a run, if the model has no such layer or
            they do not know the domain; during it, if a sample does not name its domain.
    """

    priority = "NORMAL"  # before NormStatisticsHook measures

    def __init__(self, domain: str | None = None, when: Sequence[str] | None = None) -> None:
        when = when if when is not None else _PHASES[domain is not None :]
        if isinstance(when, str) or not when or not set(when) <= set(_PHASES):
            raise ValueError(f"DomainNormHook: when must be some of {_PHASES}, got {when!r}")
        self.domain, self.when = domain, tuple(when)
        self._named = {mode: ExitStack() for mode in _PHASES}
        self._batch = ExitStack()

    def before_run(self, runner: Runner) -> None:
        """Refuse a model or a domain that does not fit."""
        for left in (self._batch, *self._named.values()):
            left.close()  # of a run that an error has cut short
        layers = _find_layers(runner.model)
        if not layers:
            raise ValueError(
                "DomainNormHook: the model must have batch norms per domain, got none: build it "
                "with norm_cfg=dict(type='DomainBN')"
            )
        for layer in layers:
            if self.domain is not None and self.domain not in layer.domains:
                raise ValueError(
                    f"DomainNormHook: domain must be one of {', '.join(layer.domains)}, got "
                    f"{self.domain!r}"
                )

    def _before_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Fix the domain, if one is named."""
        self._batch.close()  # of the training step before a validation
        self._named[mode].close()  # of an epoch that an error has cut short
        if mode in self.when and self.domain is not None:
            for layer in _find_layers(runner.model):
                self._named[mode].callback(setattr, layer, "domain", layer.domain)
                layer.domain = self.domain

    def _after_epoch(self, runner: Runner, mode: str = "train") -> None:
        """Free the domain."""
        self._batch.close()
        self._named[mode].close()

    def _before_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, mode: str = "train"
    ) -> None:
        """Read the domains of the batch from its samples; they hold until the next batch."""
        if mode in self.when and self.domain is None:
            self._batch.close()
            samples = data_batch["data_samples"]
            if isinstance(samples[0], list | tuple):  # versions of test-time augmentation
                samples = samples[0]
            domains = [_domain_of(sample) for sample in samples]
            self._batch.enter_context(MODELS.get("DomainBN").batch_domains(domains))


def _find_layers(model: nn.Module) -> list[Any]:
    kind = MODELS.get("DomainBN")
    return [module for module in model.modules() if isinstance(module, kind)]


def _domain_of(sample: DataSample) -> str:
    domain = sample.get("domain")
    if domain is None:
        raise ValueError(
            f"{sample.get('img_path', 'a sample')}: DomainNormHook needs the domain of each "
            "sample, got none: give the data set its domain, or name one for all: "
            "DomainNormHook(domain='target')"
        )
    return str(domain)
