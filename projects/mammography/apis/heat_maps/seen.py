"""One image as a patch network sees it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from mammography.apis.heat_maps.network import BACKGROUND, PatchNetwork
from mammography.functional.affine import compose_affine
from mammography.functional.heat_maps import heat_maps, slide_window
from mammography.functional.overlay import resample_map
from mammography.functional.windows import WindowGrid, mean_of_covering, window_means
from mammography.structures.annotation import ImageRecord


@dataclass(frozen=True)
class SeenImage:
    """An image and the class probabilities of its windows.

    Attributes:
        record: What is known about it.
        image: Grey values, ``(H, W)``.
        grid: Where the windows lie.
        maps: ``(K, rows, columns)``.
        classes: Names of the K classes.
        breast: Share of each window that is breast (not 0), ``(rows, columns)``.
        least_breast: Windows with less of it hold no lesion: the patches of training all had some,
            and what the network says of black is chance.
    """

    record: ImageRecord
    image: NDArray[np.float32]
    grid: WindowGrid
    maps: NDArray[np.float32]
    classes: tuple[str, ...]
    breast: NDArray[np.float64]
    least_breast: float

    @property
    def name(self) -> str:
        """Its pseudonym, or that of its file."""
        return self.record.image_id or Path(self.record.img_path).stem

    @property
    def radius(self) -> float:
        """Within how many pixels of a peak there is no other: half a window."""
        return self.grid.window / 2

    def lesion_map(self, kind: str = "") -> NDArray[np.float32]:
        """Return the probability of the lesions whose class ends with a word; of any lesion.

        It is 0 where the windows hold too little of the breast.
        """
        chosen = [i for i, c in enumerate(self.classes) if c != BACKGROUND and c.endswith(kind)]
        heat = self.maps[chosen].sum(axis=0).clip(0, 1)
        return np.asarray(heat * (self.breast >= self.least_breast), np.float32)

    def where(self, kind: str = "") -> NDArray[np.float64]:
        """Return the map that says where lesions are: the mean over the windows that cover a place.

        It is 0 where the windows hold too little of the breast.
        """
        heat = mean_of_covering(self.lesion_map(kind), self.grid)
        return np.asarray(heat * (self.breast >= self.least_breast))

    def on_image(self, heat: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return a map of the windows on the pixels of the image."""
        return resample_map(heat, self.grid.to_pixels(), self.grid.image_hw)

    def to_source(self) -> NDArray[np.float64] | None:
        """Return the matrix from places of the map to pixels of the DICOM, if it is known."""
        geometry = self.record.geometry
        if geometry is None:
            return None
        return compose_affine(np.array(geometry.source_matrix()), self.grid.to_pixels())


@torch.inference_mode()
def look_at(
    network: PatchNetwork,
    root: Path,
    record: ImageRecord,
    stride: int,
    *,
    isolated: bool,
    least_breast: float,
) -> SeenImage:
    """Slide a patch network over an image.

    Args:
        network: The network.
        root: Folder that the path in the record starts from.
        record: The image.
        stride: Pixels between windows.
        isolated: See each window alone.
        least_breast: See :class:`SeenImage`.
    """
    image = network.read(str(root / record.img_path))
    height, width = image.shape
    grid = WindowGrid((height, width), network.window, stride)
    pixels = torch.from_numpy(image)[None].to(next(network.model.parameters()).device)
    if isolated:
        maps = slide_window(network.predict, pixels, grid)
    else:
        maps = heat_maps(
            network.trunk,
            network.classify,
            pixels,
            grid,
            cell=network.cell,
            surroundings=network.cell,
        )
    return SeenImage(
        record,
        image,
        grid,
        maps.float().cpu().numpy(),
        network.classes,
        window_means(image > 0, grid),
        least_breast,
    )
