"""Cancers, and the healthy breasts of the same exams."""

from typing import Any

import torch
from mmengine.logging import print_log
from mmpretrain.registry import DATA_SAMPLERS
from torch import Tensor

from mammography.engine.samplers.epoch_sampler import EpochSampler
from mammography.engine.samplers.grouping import patient_of, read_rows
from mammography.functional.contralateral import ContralateralMatch, match_contralateral

PLACE = "ContralateralSampler"


@DATA_SAMPLERS.register_module()
class ContralateralSampler(EpochSampler):
    """Shuffle the images of exams with a cancer in one breast: the other breast is the control.

    About half of the images are cancers, and a model cannot tell them by patient, age or
    machine. It is the matched undersampling of a published RSNA 2022 notebook::

        train_dataloader = dict(
            sampler=dict(_delete_=True, type="ContralateralSampler", label="malignant"),
        )

    That keeps all images of patients with cancer, so also both breasts of bilateral cancers
    (``bilateral="keep"``) and breasts without the other (``one_sided="keep"``). By default these
    are left out, as they have no control. Exams without cancer are left out, but a
    model that never saw one does not know how they look as a whole (other ages, densities,
    implants): ``cancer_free=1`` draws, anew for each epoch, as many of their images as there
    are in matched exams. An epoch has every chosen image once.

    Args:
        dataset: What the indices point into; MMEngine gives it.
        label: Binary task that tells cancer.
        bilateral: ``drop`` or ``keep``: cancers of both breasts.
        one_sided: ``drop`` or ``keep``: cancers without an image of the other breast.
        cancer_free: Images of exams without cancer in an epoch, for each image of a matched
            exam, >= 0; at most all there are.
        seed: Seed of the run.

    Raises:
        ValueError: If an argument is none of those, or there is no matched exam.
    """

    def __init__(
        self,
        dataset: Any,
        label: str,
        bilateral: str = "drop",
        one_sided: str = "drop",
        cancer_free: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__(dataset, seed)
        if {bilateral, one_sided} - {"drop", "keep"} or not 0 <= cancer_free < float("inf"):
            raise ValueError(
                f"{PLACE}: bilateral and one_sided must be 'drop' or 'keep' and cancer_free "
                f">= 0, got {bilateral!r}, {one_sided!r} and {cancer_free}"
            )
        match = _match(dataset, label)
        if not match.matched:
            raise ValueError(
                f"{PLACE}: there must be an exam with {label} in one breast and an image of the "
                f"other, got none among {len(dataset)} images ({len(match.unknown)} without "
                "patient_id, laterality or label): look at them with tools/check_dataset.py"
            )
        self.balances = frozenset({label})
        self.kept = torch.tensor(
            match.matched
            + (match.bilateral if bilateral == "keep" else ())
            + (match.one_sided if one_sided == "keep" else ())
        )
        self.cancer_free = torch.tensor(match.cancer_free, dtype=torch.long)
        wanted = round(cancer_free * len(match.matched))
        self._drawn = min(wanted, len(self.cancer_free))
        print_log(
            f"{PLACE}: an epoch has {self.images_per_epoch} images: {len(match.matched)} of "
            f"matched exams, {self._drawn} of {len(self.cancer_free)} of exams without cancer; "
            f"bilateral cancers: {bilateral} {len(match.bilateral)} images; one breast alone: "
            f"{one_sided} {len(match.one_sided)}; without patient, side or label: "
            f"drop {len(match.unknown)}",
            logger="current",
        )

    @property
    def images_per_epoch(self) -> int:
        """Images that an epoch asks for, over all processes."""
        return len(self.kept) + self._drawn

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the chosen images in random order; the first ones again to fill the last round."""
        others = torch.randperm(len(self.cancer_free), generator=generator)[: self._drawn]
        chosen = torch.cat([self.kept, self.cancer_free[others]])
        order = torch.randperm(len(chosen), generator=generator)
        # Fewer images than processes: several rounds of them.
        return chosen[order].repeat(-(-count // len(chosen)))[:count]


def _match(dataset: Any, label: str) -> ContralateralMatch:
    rows = list(read_rows(dataset, PLACE))
    known = {name for row in rows for name in row}
    if label not in known:
        raise ValueError(
            f"{PLACE}: label must be one of the images ({', '.join(sorted(known))}), got {label!r}"
        )
    patients = [
        None if row.get("patient_id") is None else patient_of(row, index, dataset)
        for index, row in enumerate(rows)
    ]
    columns = ("exam_id", "laterality", label)
    return match_contralateral(patients, *([row.get(name) for row in rows] for name in columns))
