"""What a name says, a path or a number of a breast: its patient, its side, its view."""

import re
from dataclasses import dataclass
from typing import Any

from mammography.preparation import cells
from mammography.terms import Laterality, ViewPosition

_READERS: dict[str, Any] = {
    "patient": cells.identifier,
    "laterality": cells.term(Laterality),
    "view_position": cells.term(ViewPosition),
}


@dataclass(frozen=True)
class NamePattern:
    r"""A regular expression that a whole name must match.

    Args:
        text: The expression. Its one group is the patient; several groups are called
            ``patient``, ``laterality`` and ``view_position``, some of them or all.
        rule: What a name must be, in words, after "must".

    Raises:
        ValueError: If it is no such expression.

    Example:
        >>> NamePattern(r"(\d+)_[LR]").read("12_R")
        {'patient': '12'}
        >>> NamePattern(r".*/(?P<patient>.+)_(?P<laterality>[LR])\.png").read("a/b/12_L.png")
        {'patient': '12', 'laterality': <Laterality.LEFT: 'L'>}
    """

    text: str
    rule: str = ""

    def __post_init__(self) -> None:
        """Check the expression and its groups."""
        try:
            groups = re.compile(self.text).groups
        except re.error as error:
            raise ValueError(
                f"patient_pattern must be a regular expression, got {self.text!r}: {error}"
            ) from None
        names = set(re.compile(self.text).groupindex)
        if groups != max(len(names), 1) or names - set(_READERS):
            raise ValueError(
                "patient_pattern must have one group, the patient, or groups called "
                f"{', '.join(_READERS)} (others as (?:...)), got {self.text!r}"
            )

    @property
    def tells(self) -> frozenset[str]:
        """What it finds."""
        return frozenset(re.compile(self.text).groupindex or {"patient"})

    def read(self, name: str) -> dict[str, Any]:
        """Return what a name says.

        Raises:
            CellError: If it does not match as a whole, or a group is empty or no such word.
        """
        match = re.fullmatch(self.text, name)
        if match is None:
            raise cells.CellError(self.rule or f"match the pattern {self.text}")
        found = match.groupdict() or {"patient": match[1]}
        empty = [group for group, part in found.items() if not part]
        if empty:
            raise cells.CellError(f"name its {empty[0]} where the pattern {self.text} has it")
        return {group: _READERS[group](part) for group, part in found.items()}
