"""A file that is asked for more bytes than it has, by a length that is damaged."""

import io
import os
from pathlib import Path
from typing import Any

_LARGE = 1 << 20


class BoundedFile(io.BufferedReader):
    """A file whose readers take no more memory than it has bytes.

    A header may say that an element of it has 4 GB; Python would make room for them before
    it looks how many there are.

    Args:
        path: File to read.

    Raises:
        OSError: If it cannot be opened.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(io.FileIO(path))
        self._size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> Any:
        """Read as many bytes, or those up to the end."""
        if size is not None and size > _LARGE:
            size = min(size, max(self._size - self.tell(), 0))
        return super().read(size)
