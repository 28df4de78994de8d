"""One image and the map that explains a score of it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mammography.apis.map_files import write_arrays, write_overlay, write_source_map
from mammography.functional.affine import Matrix, compose_affine, map_box
from mammography.functional.overlay import extend_edges, resample_map
from mammography.structures.annotation import Finding, ImageRecord


@dataclass(frozen=True)
class Explained:
    """An image as the network saw it, and a map of it.

    Attributes:
        record: What is known about the image.
        picture: Input of the network before normalisation, 0 black and 1 white, ``(H, W)``.
        map: Values >= 0, ``(h, w)``.
        to_picture: From places of the map to pixels of the picture, ``(2, 3)``.
        placed_by: What that matrix follows from, see
            :class:`~mammography.apis.explaining.attributions.CaseMaps`.
        warp: From pixels of the prepared image to those of the picture, ``(2, 3)``.
        scores: What the model says, by task.
        labels: What is true, by task.
    """

    record: ImageRecord
    picture: NDArray[Any]
    map: NDArray[Any]
    to_picture: Matrix
    placed_by: str
    warp: Matrix
    scores: dict[str, Any]
    labels: dict[str, float]

    @property
    def name(self) -> str:
        """Its pseudonym, or that of its file."""
        return self.record.image_id or Path(self.record.img_path).stem

    @cached_property
    def to_image(self) -> Matrix:
        """From places of the map to pixels of the prepared image."""
        back: Matrix = cv2.invertAffineTransform(self.warp)
        return compose_affine(back, self.to_picture)

    @cached_property
    def to_source(self) -> Matrix | None:
        """From places of the map to pixels of the DICOM, where they are known."""
        geometry = self.record.geometry
        if geometry is None:
            return None
        return compose_affine(np.array(geometry.source_matrix()), self.to_image)

    @property
    def share(self) -> NDArray[np.float32]:
        """The map with its highest value as 1; all 0 where nothing speaks for the score."""
        highest = float(self.map.max())
        return np.asarray(self.map / highest if highest > 0 else self.map, np.float32)

    def write(self, out: Path, *, source: bool) -> None:
        """Write arrays and pictures below a folder."""
        content = {"map": self.map, "to_image": self.to_image, "picture_hw": self.picture.shape}
        geometry, to_source = self.record.geometry, self.to_source
        heat, grow = extend_edges(self.share)
        if geometry is not None and to_source is not None:
            content |= {"to_source": to_source, "source_hw": geometry.source_size_hw}
            if source:
                path = out / "source" / f"{self.name}.png"
                on_source = compose_affine(to_source, grow)
                write_source_map(path, heat, on_source, geometry.source_size_hw)
        write_arrays(out / "maps" / f"{self.name}.npz", content)
        to_picture = compose_affine(self.to_picture, grow)
        on_picture = resample_map(heat, to_picture, self.picture.shape[:2])
        lesions = [
            Finding(map_box(self.warp, f.box), f.label, f.malignant) for f in self.record.findings
        ]
        path = out / "overlays" / f"{self.name}.png"
        write_overlay(path, self.picture.clip(0, 1), on_picture.clip(0, 1), lesions)

    def listing(self) -> dict[str, Any]:
        """Return the row of ``explained.json``."""
        row, column = np.unravel_index(self.map.argmax(), self.map.shape)
        place = np.array([column + 0.5, row + 0.5, 1.0])
        listed: dict[str, Any] = {
            "image_id": self.name,
            "pred_score": self.scores,
            "gt_label": self.labels,
            "highest": float(self.map.max()),
            "placed_by": self.placed_by,
            "xy": (self.to_image @ place).round(2).tolist(),
        }
        if self.to_source is not None:
            listed["source_xy"] = (self.to_source @ place).round(2).tolist()
        return listed
