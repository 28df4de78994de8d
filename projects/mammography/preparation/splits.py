"""Parts of a study: by patient, stratified by the labels, the same for every row order."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import ceil

from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Split, TaskKind

DEFAULT_FRACTIONS = {Split.TRAIN: 0.7, Split.VAL: 0.1, Split.TEST: 0.2}
_LISTED = 5


class SplitError(ValueError):
    """The splits of a source or the wish for them cannot be kept."""


def parse_fractions(specs: Iterable[str]) -> dict[Split, float]:
    """Read ``train=0.7 val=0.1 test=0.2``.

    Raises:
        SplitError: If a name is no split, a share is no number from 0 to 1, or the
            shares do not add up to 1.

    Example:
        >>> parse_fractions(["train=0.8", "test=0.2"])[Split.TEST]
        0.2
    """
    fractions: dict[Split, float] = {}
    for spec in specs:
        name, _, share = spec.partition("=")
        if name in fractions:
            raise SplitError(f"splits: {name} must be given once, got {' '.join(specs)}")
        try:
            fractions[Split(name)] = float(share)
        except ValueError:
            raise SplitError(
                f"splits: {spec!r} must be train=SHARE, val=SHARE or test=SHARE"
            ) from None
    inside = all(0 <= share <= 1 for share in fractions.values())
    if not inside or abs(sum(fractions.values()) - 1) > 1e-6:
        raise SplitError(
            f"splits: shares must lie in [0, 1] and add up to 1, got {' '.join(specs) or 'none'}"
        )
    return fractions


def split_patients(
    records: Iterable[ImageRecord],
    tasks: Mapping[str, Task],
    fractions: Mapping[Split, float] = DEFAULT_FRACTIONS,
    seed: int = 0,
) -> tuple[dict[str, Split], bool]:
    """Give every patient to one split.

    A split that the source gives is kept, and checked. Otherwise the sizes follow the
    shares to one patient (largest remainder), and so do the patients with each label.

    Args:
        records: One per image, with ``patient_id``.
        tasks: Outcomes to stratify by, the most important first; regression is left out.
        fractions: Share of patients per split, adding up to 1.
        seed: Another seed draws other patients.

    Returns:
        Split of each patient, and whether it was given by the source.

    Raises:
        SplitError: If the source gives a patient two splits, or some patients none.
    """
    rows = list(records)
    given: dict[str, set[Split | None]] = defaultdict(set)
    for row in rows:
        given[str(row.patient_id)].add(row.split)
    if set().union(*given.values()) <= {None}:
        return assign_splits(_labels_by_patient(rows, tasks), fractions, seed), False
    _refuse([p for p, splits in given.items() if splits == {None}], "have one as the others do")
    _refuse([p for p, splits in given.items() if len(splits) > 1], "be in one split only")
    return {p: split for p, splits in given.items() for split in splits if split}, True


def _refuse(patients: list[str], rule: str) -> None:
    if patients:
        listed = ", ".join(sorted(patients)[:_LISTED])
        more = f" and {len(patients) - _LISTED} more" if len(patients) > _LISTED else ""
        raise SplitError(f"split: patients must {rule}, got {listed}{more}")


def _labels_by_patient(
    records: Iterable[ImageRecord], tasks: Mapping[str, Task]
) -> dict[str, tuple[float, ...]]:
    """Highest label of each patient per task; -1 where no image has one."""
    names = [name for name, task in tasks.items() if task.kind is not TaskKind.REGRESSION]
    labels: dict[str, tuple[float, ...]] = {}
    for record in records:
        new = tuple(record.gt_label.get(name, -1.0) for name in names)
        old = labels.get(str(record.patient_id), new)
        labels[str(record.patient_id)] = tuple(map(max, old, new))
    return labels


def assign_splits(
    labels: Mapping[str, tuple[float, ...]],
    fractions: Mapping[Split, float] = DEFAULT_FRACTIONS,
    seed: int = 0,
) -> dict[str, Split]:
    """Draw a split for every patient.

    The patients stand in one line, stratum after stratum, inside a stratum in the order
    of a seeded hash. Each in turn joins the split that is furthest behind its share, so
    that every stretch of the line, hence every stratum, is divided by the shares.

    Args:
        labels: Patient to labels, the most important first.
        fractions: Share of patients per split, adding up to 1.
        seed: Seed of the hash.

    Example:
        >>> splits = assign_splits({f"patient {i}": (i % 2,) for i in range(20)})
        >>> [list(splits.values()).count(split) for split in Split]
        [14, 2, 4]
    """
    places = _sizes(len(labels), fractions)
    shares = {split: Fraction(size, max(len(labels), 1)) for split, size in places.items()}
    behind = dict.fromkeys(shares, Fraction(0))
    splits = {}
    for patient in _line(labels, fractions, seed):
        for split, share in shares.items():
            behind[split] += share
        free = [split for split in shares if places[split]]
        chosen = max(free, key=lambda split: (behind[split], places[split]))
        behind[chosen] -= 1
        places[chosen] -= 1
        splits[patient] = chosen
    return splits


def _sizes(count: int, fractions: Mapping[Split, float]) -> dict[Split, int]:
    """Whole numbers closest to the shares: largest remainder, a tie to the smaller split."""
    exact = {split: share * count for split, share in fractions.items()}
    sizes = {split: int(value + 1e-9) for split, value in exact.items()}
    left = count - sum(sizes.values())
    order = sorted(exact, key=lambda split: (-round(exact[split] - sizes[split], 9), sizes[split]))
    for split in order[:left]:
        sizes[split] += 1
    return sizes


def _line(
    labels: Mapping[str, tuple[float, ...]], fractions: Mapping[Split, float], seed: int
) -> list[str]:
    """All patients, the smallest stratum first: the first ones are divided most exactly."""
    shares = [share for share in fractions.values() if share]
    enough = ceil(1 / min(shares) - 1e-9) if shares else 1
    strata = _strata(sorted(labels, key=lambda p: _draw(p, seed)), labels, enough, 0)
    # Equal ones by chance: the first in line trains, which must not depend on its label.
    strata.sort(
        key=lambda stratum: (len(stratum), _draw(stratum[0], seed)) if stratum else (0, b"")
    )
    return [patient for stratum in strata for patient in stratum]


def _strata(
    patients: list[str], labels: Mapping[str, tuple[float, ...]], enough: int, depth: int
) -> list[list[str]]:
    """Divide by the first label, then by further ones while every group stays large enough."""
    if not patients or depth == len(labels[patients[0]]):
        return [patients]
    groups: dict[float, list[str]] = defaultdict(list)
    for patient in patients:
        groups[labels[patient][depth]].append(patient)
    if depth and min(map(len, groups.values())) < enough:
        return [patients]
    parts = [groups[label] for label in sorted(groups)]
    return [stratum for part in parts for stratum in _strata(part, labels, enough, depth + 1)]


def _draw(patient: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}\0{patient}".encode()).digest()
