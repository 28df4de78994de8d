"""How well heat maps point at the lesions that are known."""

from typing import Any

import numpy as np

from mammography.apis.heat_maps.network import BACKGROUND
from mammography.apis.heat_maps.seen import SeenImage
from mammography.functional.localisation import Marks, froc, mark_peaks, mask_iou, pointing_game
from mammography.functional.overlay import UNKNOWN, draw_boxes

FALSE_POSITIVES = (0.25, 0.5, 1.0, 2.0, 4.0)
_MASK = 0.5  # from which probability on a place belongs to a lesion, for the overlap


class LocalisationFigures:
    """Gathers the marks of all images, for all lesions and for each kind of them.

    The kinds are the last words of the classes (``malignant_mass`` is a ``mass``) and the labels
    of the findings.

    Args:
        classes: Of the patch network.
    """

    def __init__(self, classes: tuple[str, ...]) -> None:
        self.marks: dict[str, list[Marks]] = {}
        self.overlaps: dict[str, list[float]] = {}
        self.patients: list[str] = []
        self.kinds = sorted({c.rpartition("_")[2] for c in classes if c != BACKGROUND})

    def add(self, seen: SeenImage) -> None:
        """Compare the maps of an image with its lesions."""
        self.patients.append(seen.record.patient_id or seen.name)
        for kind in ("", *self.kinds):
            boxes = [f.box for f in seen.record.findings if f.label.endswith(kind)]
            heat = seen.where(kind)
            marks = mark_peaks(heat, seen.grid, boxes, seen.radius)
            name = kind or "any"
            self.marks.setdefault(name, []).append(marks)
            if boxes:
                truth = draw_boxes(
                    np.zeros((*seen.grid.image_hw, 3), np.uint8), boxes, [UNKNOWN] * len(boxes), -1
                )
                overlap = mask_iou(seen.on_image(heat) >= _MASK, truth[..., 0] > 0)
                self.overlaps.setdefault(name, []).append(overlap)

    def summary(self) -> dict[str, Any]:
        """Return the figures by kind of lesion; kinds without one are left out."""
        return {name: self._figures(name) for name in self.marks if name in self.overlaps}

    def scores(self) -> dict[str, dict[str, list[Any]]]:
        """Return what an interval of the figures needs, by kind of lesion.

        The score of each lesion (null without a mark) and of each false mark with the patient of
        each, and the patient of each image.
        """
        return {name: self._scores(name) for name in self.marks if name in self.overlaps}

    def _scores(self, name: str) -> dict[str, list[Any]]:
        rows = list(zip(self.patients, self.marks[name], strict=True))
        lesions = [(p, float(s)) for p, marks in rows for s in marks.lesion_scores]
        false = [(p, float(s)) for p, marks in rows for s in marks.false_scores]
        return {
            "lesion_scores": [score if np.isfinite(score) else None for _, score in lesions],
            "lesion_patients": [patient for patient, _ in lesions],
            "false_scores": [score for _, score in false],
            "false_patients": [patient for patient, _ in false],
            "image_patients": self.patients,
        }

    def _figures(self, name: str) -> dict[str, Any]:
        marks = self.marks[name]
        curve = froc(marks)
        figures: dict[str, Any] = {
            "images": curve.images,
            "images_with_lesions": len(self.overlaps[name]),
            "lesions": curve.lesions,
            "sensitivity_at_false_positives_per_image": {
                f"{rate:g}": curve.sensitivity_at(rate) for rate in FALSE_POSITIVES
            },
            "pointing_game": pointing_game(marks),
            f"mean_iou_at_{_MASK:g}": float(np.mean(self.overlaps[name])),
        }
        if any(not m.hits.shape[1] for m in marks):
            normal = froc(marks, on="normal")
            figures["sensitivity_at_false_positives_per_normal_image"] = {
                f"{rate:g}": normal.sensitivity_at(rate) for rate in FALSE_POSITIVES
            }
        return figures
