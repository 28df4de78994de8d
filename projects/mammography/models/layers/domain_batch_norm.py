"""Batch norm with statistics of its own for each domain, inside one network."""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from mammography.functional.distributed import count_processes

_STATE = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")


class _Routes:
    """Which rows belong to which domain, worked out once for all layers of a network."""

    def __init__(self, domains: Sequence[str]) -> None:
        self.domains = tuple(domains)
        self._known: dict[tuple[int, torch.device], tuple[dict[str, Tensor], Tensor]] = {}

    def find(self, values: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the rows of each domain, and the order that puts the rows back."""
        key = len(values), values.device
        if key not in self._known:
            each, rest = divmod(len(values), len(self.domains) or 1)
            if rest or not each:
                raise ValueError(
                    "DomainBatchNorm2d: the rows of an activation must be as many for each of the "
                    f"{len(self.domains)} images whose domains are known, got {len(values)} rows"
                )
            owners = [domain for domain in self.domains for _ in range(each)]
            rows = {
                domain: torch.tensor([i for i, owner in enumerate(owners) if owner == domain])
                for domain in dict.fromkeys(owners)
            }
            back = torch.cat(list(rows.values())).argsort()
            moved = {domain: each.to(values.device) for domain, each in rows.items()}
            self._known[key] = moved, back.to(values.device)
        return self._known[key]


_ROUTES: ContextVar[_Routes | None] = ContextVar("domains of the batch", default=None)


@contextmanager
def batch_domains(domains: Sequence[str]) -> Iterator[None]:
    """Say which domain each image of the batch belongs to, for all layers inside.

    Args:
        domains: Name of the domain of each image. A layer that sees several crops of each
            image must have those of an image follow each other.

    Example:
        >>> layer = DomainBatchNorm2d(1)
        >>> with batch_domains(["source", "target", "target"]):
        ...     layer(torch.rand(3, 1, 4, 4)).shape
        torch.Size([3, 1, 4, 4])
        >>> [int(layer.domains[name].num_batches_tracked) for name in ("source", "target")]
        [1, 1]
    """
    token = _ROUTES.set(_Routes(domains))
    try:
        yield
    finally:
        _ROUTES.reset(token)


@MODELS.register_module("DomainBN")
class DomainBatchNorm2d(nn.Module):
    """A batch norm per domain; weight and bias are one for all, or one per domain as well.

    Every domain is normalised to the same distribution, so that the convolutions, shared,
    see no difference in its brightness, contrast or noise. The rows of a batch of several domains
    go to their domains' norms; one that no row belongs to keeps its statistics.

    Use it as ``norm_cfg=dict(type="DomainBN")`` of a backbone. Which domain the images are
    of, :func:`batch_domains` or ``DomainNormHook`` says. A checkpoint of plain batch norms loads
    into every domain. On GPUs the norms can be synchronised (``sync``, or MMEngine's
    ``sync_bn="torch"``); then each process must have images of every domain in each batch.

    A shared weight is in the state once per domain, as tied weights of torch are; with
    ``paramwise_cfg`` the optimizer's config needs ``bypass_duplicate=True``.

    Shapes:
        ``(N, C, H, W)``.

    Args:
        num_features: C.
        domains: Names of the domains, in any order, at least one.
        domain_affine: A weight and a bias per domain, as in the reference, instead of
            shared ones.
        sync: Take the moments over all processes, on GPUs.
        **settings: ``eps``, ``momentum`` of :class:`torch.nn.BatchNorm2d`.

    Attributes:
        domains: The batch norm of each domain.
        domain: Name of the one that takes all rows, whatever is said of the batch; or None.

    Raises:
        ValueError: If the names of the domains are not different words; when it is used, if the
            domains of the batch are not known.

    References:
        Chang et al. 2019, arXiv:1906.03950 (domain-specific batch normalization).
    """

    _abbr_ = "bn"
    batch_domains = staticmethod(batch_domains)  # for hooks, which know the layer by its name

    def __init__(
        self,
        num_features: int,
        domains: Sequence[str] = ("source", "target"),
        *,
        domain_affine: bool = False,
        sync: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__()
        _check_names(domains)
        kind = nn.SyncBatchNorm if sync else nn.BatchNorm2d
        self.domains = nn.ModuleDict({name: kind(num_features, **settings) for name in domains})
        self.domain: str | None = None
        first, *others = self.domains.values()
        for norm in others if not domain_affine else ():
            norm.weight, norm.bias = first.weight, first.bias

    @property
    def weight(self) -> Any:
        """The weight of all domains, if they share one: initialisations look for it."""
        return self._shared("weight")

    @property
    def bias(self) -> Any:
        """The bias of all domains, if they share one."""
        return self._shared("bias")

    def _shared(self, name: str) -> Any:
        first, *others = (getattr(norm, name) for norm in self.domains.values())
        return first if all(first is other for other in others) else None

    def forward(self, values: Tensor) -> Tensor:
        """Normalise each row with the statistics of its domain."""
        routes = _ROUTES.get()
        if self.domain is not None:
            return self._touch_absent(self.domains[self.domain](values), [self.domain])
        if routes is None:
            raise ValueError(
                "DomainBatchNorm2d: the domain of each image must be known, got none: put "
                "DomainNormHook into custom_hooks, or use batch_domains around the model"
            )
        rows, back = routes.find(values)
        self._check(rows)
        # The same order on all processes: some statistics are taken over them together.
        parts = {name: self._normalize(name, values, rows) for name in self.domains}
        with_rows = [parts.pop(name) for name in rows]
        without = [part for part in parts.values() if part is not None]
        if len(with_rows) == 1 and not without:
            return self._touch_absent(with_rows[0], rows)
        return self._touch_absent(torch.cat([*with_rows, *without])[back], rows)

    def _normalize(self, name: str, values: Tensor, rows: Mapping[str, Tensor]) -> Any:
        """Return the rows of a domain after its norm, or None if there is nothing to do."""
        norm = self.domains[name]
        if name in rows:
            return norm(values if len(rows) == 1 else values[rows[name]])
        # With other statistics than its own, the norm waits for that of every process.
        waits = "forward" in vars(norm) and count_processes() > 1
        return norm(values[:0]) if waits else None

    def _check(self, rows: Mapping[str, Tensor]) -> None:
        """Refuse a batch of unknown domains, or one that other processes would wait for."""
        if unknown := [name for name in rows if name not in self.domains]:
            raise ValueError(
                "DomainBatchNorm2d: the domain of an image must be one of "
                f"{', '.join(self.domains)}, got {', '.join(map(repr, unknown))}"
            )
        absent = [name for name in self.domains if name not in rows]
        for name in absent if self.training and count_processes() > 1 else ():
            if isinstance(self.domains[name], nn.SyncBatchNorm):
                raise ValueError(  # noqa: TRY004 (it is about the batch)
                    "DomainBatchNorm2d: with synchronised norms every process must have images of "
                    f"every domain in each batch, got none of {name!r}: use a sampler with "
                    "shares per domain, or norms that are not synchronised"
                )

    def _touch_absent(self, out: Tensor, present: Container[str]) -> Tensor:
        """Give weights of an absent domain a gradient of zero, which several processes wait for."""
        if self.training and torch.is_grad_enabled() and self.weight is None:
            for name in self.domains:
                if name not in present:
                    out = out + sum(0 * p.sum() for p in self.domains[name].parameters())
        return out

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *others: Any, **named: Any
    ) -> None:
        """Deal what a plain batch norm has saved out to every domain."""
        for name in _STATE:
            if prefix + name in state_dict:
                value = state_dict.pop(prefix + name)
                for domain in self.domains:
                    state_dict[f"{prefix}domains.{domain}.{name}"] = value
        super()._load_from_state_dict(state_dict, prefix, *others, **named)


def _check_names(domains: Sequence[str]) -> None:
    words = [re.fullmatch(r"\w+", name) and not hasattr(nn.ModuleDict, name) for name in domains]
    if isinstance(domains, str) or not words or not all(words) or len(set(domains)) < len(words):
        raise ValueError(
            "DomainBatchNorm2d: domains must be different words that PyTorch's ModuleDict does not "
            f"use itself, got {domains!r}"
        )
