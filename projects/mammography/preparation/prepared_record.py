"""The record of a prepared image: pseudonyms, and all places in pixels of its PNG."""

from dataclasses import replace
from typing import Any

from mammography.preparation.pseudonym import Pseudonyms
from mammography.preparation.source_record import masks_of
from mammography.structures.annotation import Finding, ImageRecord
from mammography.structures.geometry import ImageGeometry
from mammography.terms import Split

IMAGE_FOLDER = "images"
_DIGITS = 3  # A thousandth of a pixel: floats of twice the length would say nothing more.


def prepared_record(
    record: ImageRecord, result: dict[str, Any], names: Pseudonyms, split: Split
) -> ImageRecord:
    """Put pseudonyms and what the preparation found in place of what the source says.

    Args:
        record: As the converter gives it, findings in pixels of the source. Those of its
            masks follow its own.
        result: What the preparation noted in the journal.
        names: Pseudonyms of the study.
        split: Part of the study that the patient belongs to.
    """
    image_id = names.image(record.img_path)
    patient_id = str(record.patient_id)
    geometry = ImageGeometry.from_json(result["geometry"])
    found = ImageRecord.from_json(
        {"img_path": f"{IMAGE_FOLDER}/{image_id}.png"}
        | {name: result[name] for name in ("laterality", "view_position", "size_hw")}
        | {name: result[name] for name in ("pixel_spacing_mm", "geometry")}
        | {name: result["facts"].get(name) for name in ("view_modifiers", "image_kind")},
        image_id,
    )
    return replace(
        found,
        patient_id=names.patient(patient_id),
        exam_id=names.exam(patient_id, record.exam_id) if record.exam_id else None,
        image_id=image_id,
        laterality=found.laterality or record.laterality,
        view_position=found.view_position or record.view_position,
        view_modifiers=record.view_modifiers or found.view_modifiers,
        image_kind=record.image_kind or found.image_kind,
        manufacturer=record.manufacturer or result["manufacturer"],
        split=split,
        gt_label=record.gt_label,
        clinic_vars=record.clinic_vars,
        findings=tuple(
            map_finding(finding, geometry)
            for finding in (*record.findings, *_masked_findings(record, result))
        ),
    )


def _masked_findings(record: ImageRecord, result: dict[str, Any]) -> list[Finding]:
    """Return the findings of the masks that could be used, in the order of the record.

    Args:
        record: As the converter gives it: says what they are.
        result: What the preparation noted in the journal: says where they are.
    """
    masks = masks_of(record)
    places = result["findings"] if masks else ()
    return [
        Finding(tuple(place["box"]), mask.label, mask.malignant, _points(place["outline"]))
        for mask, place in zip(masks, places, strict=True)
        if place is not None
    ]


def _points(outline: list[list[float]]) -> tuple[tuple[float, float], ...]:
    return tuple((x, y) for x, y in outline)


def map_finding(finding: Finding, geometry: ImageGeometry) -> Finding:
    """Map the box and the outline of a finding from the source into the prepared image."""
    left, top, right, bottom = geometry.to_prepared(finding.box)
    # A point is a box without extent.
    points = [geometry.to_prepared((x, y, x, y))[:2] for x, y in finding.outline]
    return replace(
        finding,
        box=(
            round(left, _DIGITS),
            round(top, _DIGITS),
            round(right, _DIGITS),
            round(bottom, _DIGITS),
        ),
        outline=tuple((round(x, _DIGITS), round(y, _DIGITS)) for x, y in points),
    )


def is_cut(finding: Finding, size_hw: tuple[int, int] | None) -> bool:
    """Whether more than a pixel of a finding lies outside of the prepared image."""
    height, width = size_hw or (0, 0)
    left, top, right, bottom = finding.box
    return min(left, top) < -1 or right > width + 1 or bottom > height + 1
