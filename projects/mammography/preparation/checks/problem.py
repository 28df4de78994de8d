"""One thing that is wrong in a prepared source."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        check: What was looked at, one word or two.
        where: File or image.
        what: What is wrong there.
        is_error: Whether training or testing with it would give wrong results or none; all
            else is a warning.
    """

    check: str
    where: str
    what: str
    is_error: bool = True

    def __str__(self) -> str:
        """Return place and fault."""
        return f"{self.where}: {self.what}"
