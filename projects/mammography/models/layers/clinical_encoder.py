"""Age, density, implant, machine ... as a vector beside that of the image."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample
from torch import Tensor, nn


@MODELS.register_module()
class ClinicalEncoder(BaseModule):
    """Encode tabular variables of a sample; that one is missing is a state of its own.

    A number is standardised by mean and standard deviation, 0 where it is missing, and a second
    channel says so. Mean and standard deviation come from the config, or from the training
    images by ``FitClinicalEncoderHook``; either way they travel in the checkpoint. A
    category has a learned vector, and so have "missing" and "another value than those
    of training".

    A variable is looked for in the clinical variables of the sample, then among what the
    annotation says of the image (``manufacturer``, ``laterality`` ...), then among its labels:
    ``density`` may be a label that the head does not predict.

    Shapes:
        N samples to ``(N, out_channels)``.

    Args:
        numbers: Name to ``dict(mean=..., std=...)``, or to ``dict()`` to be fitted.
        categories: Name to the values that are known, e.g. ``dict(implant=[0, 1])``.
        embed_dims: Channels of a category.
        drop_rate: Share of training samples, per variable, whose value is hidden as if it
            were missing, so that the model also learns to do without.
        init_cfg: Initialisation; PyTorch's unless given.

    Raises:
        ValueError: If there is no variable, one is both, or a deviation is not above 0.

    Example:
        >>> encoder = ClinicalEncoder(
        ...     numbers={"age_years": {"mean": 55, "std": 10}}, categories={"implant": [0, 1]}
        ... )
        >>> samples = [DataSample(metainfo={"clinic_vars": {"age_years": 65}}), DataSample()]
        >>> encoder(samples)[:, :2]
        tensor([[1., 0.],
                [0., 1.]], grad_fn=<SliceBackward0>)
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        numbers: Mapping[str, Mapping[str, float]] | None = None,
        categories: Mapping[str, Sequence[Any]] | None = None,
        embed_dims: int = 4,
        drop_rate: float = 0.0,
        init_cfg: dict | list[dict] | None = None,  # type: ignore[type-arg]
    ) -> None:
        super().__init__(init_cfg)
        self.numbers = {name: dict(told) for name, told in (numbers or {}).items()}
        self.categories = {
            name: [_word(value) for value in values] for name, values in (categories or {}).items()
        }
        self.drop_rate = drop_rate
        self._check()
        for moment in ("mean", "std"):
            values = [told.get(moment, math.nan) for told in self.numbers.values()]
            self.register_buffer(moment, torch.tensor(values))
        self.embeddings = nn.ModuleList(
            nn.Embedding(len(values) + 2, embed_dims) for values in self.categories.values()
        )
        self.out_channels = 2 * len(self.numbers) + embed_dims * len(self.categories)

    def _check(self) -> None:
        both = sorted(self.numbers.keys() & self.categories.keys())
        if both or not self.names:
            raise ValueError(
                "ClinicalEncoder: there must be a variable, and each either a number or a "
                f"category, got {', '.join(both) or 'none'}"
            )
        if not 0 <= self.drop_rate < 1:
            raise ValueError(f"ClinicalEncoder: drop_rate must lie in [0, 1), got {self.drop_rate}")
        for name, told in self.numbers.items():
            if told and (set(told) != {"mean", "std"} or not told["std"] > 0):
                raise ValueError(
                    f"ClinicalEncoder: numbers.{name} must give mean and std > 0, or nothing to "
                    f"be fitted, got {told}"
                )

    @property
    def names(self) -> list[str]:
        """The variables, numbers first."""
        return [*self.numbers, *self.categories]

    @property
    def unfitted(self) -> list[str]:
        """Numbers whose mean and deviation are not known yet."""
        unknown = self.mean.isnan().tolist()
        return [name for name, missing in zip(self.numbers, unknown, strict=True) if missing]

    def fit(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take mean and standard deviation of what is not fitted yet from training rows.

        Args:
            rows: What data sets say of their samples: ``clinic_vars``, fields, ``gt_label``.

        Raises:
            ValueError: If a variable has fewer than two different values.
        """
        rows, unfitted = list(rows), self.unfitted
        for place, name in enumerate(self.numbers):
            if name not in unfitted:
                continue
            values = torch.tensor([_number(_of_row(row, name), name) for row in rows])
            known = values[~values.isnan()].double()
            if len(set(known.tolist())) < 2:
                raise ValueError(
                    f"ClinicalEncoder: {name} must have two different values among the training "
                    f"images, got {sorted(set(known.tolist()))}: leave it out, or correct its name"
                )
            self.mean[place], self.std[place] = known.mean(), known.std(correction=0)

    def forward(self, samples: Sequence[DataSample]) -> Tensor:
        """Return the vectors.

        Raises:
            ValueError: If a number was never fitted, or a value is no number.
        """
        if unfitted := ", ".join(self.unfitted):
            raise ValueError(
                f"ClinicalEncoder: {unfitted} must have a mean and a deviation: add "
                'dict(type="FitClinicalEncoderHook") to custom_hooks, or give them in the config'
            )
        parts = []
        if self.numbers:
            table = [
                [_number(_of_sample(sample, name), name) for name in self.numbers]
                for sample in samples
            ]
            values = self._hide(torch.tensor(table, device=self.mean.device), math.nan)
            absent = values.isnan()
            scaled = ((values - self.mean) / self.std).masked_fill(absent, 0.0)
            parts.append(torch.stack([scaled, absent.to(scaled)], dim=-1).flatten(1))
        for (name, known), embedding in zip(self.categories.items(), self.embeddings, strict=True):
            places = [_place(known, _of_sample(sample, name)) for sample in samples]
            index = torch.tensor(places, device=self.mean.device)
            parts.append(embedding(self._hide(index, 0)))
        return torch.cat(parts, dim=1)

    def _hide(self, values: Tensor, state: float) -> Tensor:
        """Replace some values of training by "missing"."""
        if not self.training or not self.drop_rate:
            return values
        hidden = torch.rand(values.shape, device=values.device) < self.drop_rate
        return values.masked_fill(hidden, state)


def _place(known: list[str], value: Any) -> int:
    """Return 0 for missing, 1 for another value, else the place of the value."""
    if _is_missing(value):
        return 0
    word = _word(value)
    return known.index(word) + 2 if word in known else 1


def _word(value: Any) -> str:
    """Spell a category the same whether a file made it 1, 1.0, True or '1'."""
    if isinstance(value, bool | int | float) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _is_missing(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())


def _number(value: Any, name: str) -> float:
    if _is_missing(value):
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"ClinicalEncoder: {name} must be a number, got {value!r}: list it under categories"
        ) from error


def _of_row(row: Mapping[str, Any], name: str) -> Any:
    """Find a variable in what a data set says of a sample."""
    for place in (row.get("clinic_vars") or {}, row, row.get("gt_label") or {}):
        if place.get(name) is not None:
            return place[name]
    return None


def _of_sample(sample: DataSample, name: str) -> Any:
    """Find a variable in a packed sample, in the same order of places."""
    row = {
        "clinic_vars": sample.get("clinic_vars"),
        "gt_label": sample.get("gt_targets"),
        name: sample.get(name),
    }
    return _of_row(row, name)
