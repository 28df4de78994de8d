"""Which group an image belongs to, and which images are drawn together."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from mammography.functional.group_sampling import Unit

Row = Mapping[str, Any]
Rules = Mapping[str, Mapping[str, Any]]
Groups = dict[str, dict[Hashable, list[int]]]


def group_images(
    dataset: Any,
    groups: str | Rules,
    *,
    place: str,
    keep_together: bool = False,
    skip_others: bool = False,
) -> dict[str, list[Unit]]:
    """Sort the images of a dataset into groups of units.

    Args:
        dataset: Has ``get_data_info(index)``, as datasets of MMEngine and their wrappers.
        groups: Name of a label or field whose values are the groups; or for each group the
            values that it takes, ``dict(malignant=dict(malignant=1))``; several values as
            a list, several conditions must all hold.
        place: Who asks, for the errors.
        keep_together: Whether the views of a breast are one unit. An image whose patient or
            laterality is not known is a unit of its own.
        skip_others: Leave out images that are in no group.

    Returns:
        The units of each group.

    Raises:
        ValueError: If an image is in several groups, or in none and may not be skipped; a
            group has no image; a label or field is unknown; or no breast is known.
    """
    found: Groups = {} if isinstance(groups, str) else {name: {} for name in groups}
    others: list[str] = []
    known: set[str] = set()
    breasts = 0
    for index, row in enumerate(read_rows(dataset, place)):
        known |= row.keys()
        breast = _breast_of(row, index, dataset) if keep_together else None
        breasts += breast is not None
        name = _group_of(row, groups, place)
        if name is None:
            others.append(_describe(row, index))
        else:
            found.setdefault(name, {}).setdefault(breast or index, []).append(index)
    _check_names(groups, known, place)
    if others and not skip_others:
        remedy = f"give each a {groups}" if isinstance(groups, str) else "add a group for them"
        raise ValueError(
            f"{place}: groups must hold every image, got {len(others)} of {len(dataset)} in none, "
            f"{others[0]} first: {remedy} or set ungrouped='skip'"
        )
    _check_groups(found, place)
    if keep_together and not breasts:
        raise ValueError(
            f"{place}: keep_together='breast' must find patient_id and laterality of images, "
            "got none: prepare the source with them or set keep_together=None"
        )
    return {name: [tuple(unit) for unit in units.values()] for name, units in found.items()}


def read_rows(dataset: Any, place: str) -> Iterator[dict[str, Any]]:
    """Yield what a dataset tells of each image, its labels by task beside its fields.

    Raises:
        ValueError: If the dataset tells nothing of its images.
    """
    if not hasattr(dataset, "get_data_info"):
        raise ValueError(
            f"{place}: the dataset must have get_data_info, got {type(dataset).__name__}"
        )
    return (_flatten(dataset.get_data_info(index)) for index in range(len(dataset)))


def fields_of(groups: str | Rules) -> set[str]:
    """Return the labels and fields that groups are made of.

    Example:
        >>> sorted(fields_of({"cancer": {"malignant": 1}, "target": {"domain": "target"}}))
        ['domain', 'malignant']
    """
    return (
        {groups} if isinstance(groups, str) else {name for rule in groups.values() for name in rule}
    )


def _flatten(info: Row) -> dict[str, Any]:
    """Put labels by task beside the fields; a plain class index stays ``gt_label``."""
    labels = info.get("gt_label")
    return {**info, **labels} if isinstance(labels, Mapping) else dict(info)


def _group_of(row: Row, groups: str | Rules, place: str) -> str | None:
    if isinstance(groups, str):
        value = row.get(groups)
        return value if value is None or isinstance(value, str) else f"{value:g}"
    names = [name for name, rule in groups.items() if _meets(row, rule)]
    if len(names) > 1:
        raise ValueError(
            f"{place}: groups must not overlap, {_describe(row)} is in {' and '.join(names)}: "
            "add a condition to one of them"
        )
    return names[0] if names else None


def _meets(row: Row, rule: Row) -> bool:
    return all(
        row.get(field) is not None and row[field] in _as_list(wanted)
        for field, wanted in rule.items()
    )


def _as_list(wanted: Any) -> Sequence[Any]:
    return wanted if isinstance(wanted, Sequence) and not isinstance(wanted, str) else [wanted]


def _breast_of(row: Row, index: int, dataset: Any) -> tuple[Any, ...] | None:
    """Return what tells a breast from all others, pseudonyms of other sources included."""
    if row.get("patient_id") is None or row.get("laterality") is None:
        return None
    return *patient_of(row, index, dataset), row.get("exam_id"), row["laterality"]


def patient_of(row: Row, index: int, dataset: Any) -> tuple[Any, ...]:
    """Return what tells a patient from all others: sources may use one pseudonym for two."""
    source = bisect_right(getattr(dataset, "cumulative_sizes", ()), index)
    return source, row.get("domain"), row["patient_id"]


def _describe(row: Row, index: int | None = None) -> str:
    return str(row.get("img_path", "an image" if index is None else f"image {index}"))


def _check_names(groups: str | Rules, known: Iterable[str], place: str) -> None:
    if unknown := sorted(fields_of(groups) - set(known)):
        raise ValueError(
            f"{place}: groups must name labels or fields of the images "
            f"({', '.join(sorted(known))}), got {', '.join(unknown)}"
        )


def _check_groups(found: Groups, place: str) -> None:
    if empty := [name for name, units in found.items() if not units]:
        raise ValueError(f"{place}: every group must hold an image, got none in {', '.join(empty)}")
    if len(found) < 2:
        raise ValueError(
            f"{place}: groups must divide the images into two or more, "
            f"got {', '.join(found) or 'none'} only"
        )
