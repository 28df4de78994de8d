"""Where the decoded pixels of a prepared image lie, and which PNG they were decoded from."""

from pathlib import Path
from typing import Literal, get_args

CacheKind = Literal["npy", "blosc"]
CACHE_KINDS: tuple[CacheKind, ...] = get_args(CacheKind)
CACHE_FOLDER = "cache"

CHECKSUM_BYTES = 4
_END_OF_PNG = b"\0\0\0\0IEND\xaeB`\x82"
_TRAILER_BYTES = 2 * CHECKSUM_BYTES


def cache_path(png: Path, kind: CacheKind) -> Path:
    """Return where the decoded pixels of a prepared PNG lie.

    Example:
        >>> cache_path(Path("dataset/cmmd/images/i01.png"), "npy").as_posix()
        'dataset/cmmd/cache/i01.npy'
    """
    return png.parent.parent / CACHE_FOLDER / f"{png.stem}.{kind}"


def png_checksum(png: Path) -> bytes:
    """Return the checksum that a PNG holds of its own last data: it tells two PNG apart.

    Only the end of the file is read.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it does not end as a PNG does.
    """
    return checksum_at_end(_last_bytes(png, CHECKSUM_BYTES + len(_END_OF_PNG)), png)


def checksum_at_end(data: bytes, png: Path) -> bytes:
    """Return the same of the bytes of a PNG.

    Raises:
        ValueError: If they do not end as a PNG does.
    """
    end = len(data) - len(_END_OF_PNG)
    if end < CHECKSUM_BYTES or data[end:] != _END_OF_PNG:
        raise ValueError(f"{png}: PNG must be whole, it does not end as one")
    return data[end - CHECKSUM_BYTES : end]


def cached_checksum(path: Path) -> bytes | None:
    """Return the checksum of the PNG that cached pixels were decoded from, if they are there."""
    try:
        return _last_bytes(path, _TRAILER_BYTES)[:CHECKSUM_BYTES]
    except OSError:
        return None


def _last_bytes(path: Path, number: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(file.seek(0, 2) - number, 0))
        return file.read(number)
