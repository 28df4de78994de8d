"""What another machine must see before it may share the work."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mammography.preparation.work.versions import find_versions


class WitnessError(OSError):
    """A machine sees another disk, or has other packages."""


@dataclass(frozen=True)
class Witness:
    """What the machine that hands out the work sees, for others to compare.

    A worker that saw another disk would reject every image as absent, and one with other
    decoders might give other pixels. Each process looks once, also one that joins late.

    Attributes:
        sizes: Files and their sizes.
        versions: Packages that decide about pixels, and their versions.
    """

    sizes: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, files: Iterable[Path]) -> "Witness":
        """Note what this machine sees.

        Raises:
            OSError: If a file is not there.
        """
        sizes = tuple((str(path.absolute()), path.stat().st_size) for path in files)
        return cls(sizes, tuple(find_versions().items()))

    def check(self) -> None:
        """Compare with what this process sees.

        Raises:
            WitnessError: If a file or a version is another one.
        """
        _check(self)


@cache
def _check(told: Witness) -> None:
    own = find_versions()
    other = [f"{name} {own[name]} for {v}" for name, v in told.versions if own[name] != v]
    if other:
        raise WitnessError(
            "every worker must have the versions of this machine, "
            f"one has {', '.join(other)}: install the same constraints there"
        )
    hidden = [name for name, size in told.sizes if _size_of(Path(name)) != size]
    if hidden:
        raise WitnessError(
            "every worker must see the disk of this machine under the same path, "
            f"one does not see {hidden[0]}: use folders that all machines share"
        )


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None
