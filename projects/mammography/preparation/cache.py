"""Decoded pixels beside the PNG files, for training on slow CPUs."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mammography.functional.pixel_cache import encode_pixels
from mammography.functional.png16 import decode_png16
from mammography.preparation.whole_files import write_whole
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.progress import progress_bar
from mammography.structures.pixel_cache import (
    CacheKind,
    cache_path,
    cached_checksum,
    checksum_at_end,
    png_checksum,
)


@dataclass(frozen=True)
class PixelCache:
    """What decodes the PNG files of a folder and keeps their pixels.

    The PNG stays the truth: cached pixels carry its checksum, so those of an earlier one
    are made anew here, and refused by whoever reads them.

    Attributes:
        images: Folder of the PNG files.
        kind: How pixels are stored.
    """

    images: Path
    kind: CacheKind

    def path(self, image_id: str) -> Path:
        """File of the pixels of an image."""
        return cache_path(self._png(image_id), self.kind)

    def is_current(self, image_id: str) -> bool:
        """Whether the pixels of the PNG as it is now are there."""
        return cached_checksum(self.path(image_id)) == png_checksum(self._png(image_id))

    def work(self, image_id: str) -> None:
        """Store the pixels of an image.

        Raises:
            ValueError: If the PNG is damaged.
        """
        png = self._png(image_id)
        data = png.read_bytes()
        try:
            pixels = decode_png16(data)
            stored = encode_pixels(pixels, self.kind, checksum_at_end(data, png))
        except ValueError as error:
            raise ValueError(f"{png}: {error}: delete it and run again") from error
        write_whole(self.path(image_id), stored)

    def describe(self, image_ids: Iterable[str]) -> dict[str, Any]:
        """Count the files and their size, as plain values for JSON."""
        sizes = [self.path(image_id).stat().st_size for image_id in image_ids]
        return {"kind": self.kind, "images": len(sizes), "megabytes": round(sum(sizes) / 1e6, 1)}

    def _png(self, image_id: str) -> Path:
        return self.images / f"{image_id}.png"


def fill_cache(
    cache: PixelCache, image_ids: Iterable[str], crew: Crew, *, show_progress: bool = False
) -> None:
    """Store the pixels of all images that are not cached yet.

    Args:
        cache: Where and how.
        image_ids: Images whose PNG files are there.
        crew: Who does it.
        show_progress: Show a bar with the rate.

    Raises:
        OSError: If the disk is full, or a process was killed over the same image again.
        ValueError: If a PNG is damaged.
    """
    todo = [image_id for image_id in image_ids if not cache.is_current(image_id)]
    if not todo:
        return
    with progress_bar(f"caching as {cache.kind}", len(todo), show=show_progress) as bar:
        killed = crew.for_each(cache.work, todo, bar, [cache.images / f"{todo[0]}.png"])
    lost = crew.look_for_lost(lambda: [name for name in todo if not cache.is_current(name)])
    if killed or lost:
        raise OSError(f"{cache.images.parent}: {len(lost)} images could not be cached: run again")
