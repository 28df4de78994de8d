"""Synthetic mammograms for tests: drawn in memory, as DICOM files or as a prepared study."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from mammography.functional.phantom import PhantomView, draw_phantom, place_lesions
from mammography.functional.phantom_lesion import Lesion, LesionKind
from mammography.functional.phantom_shape import draw_shape
from mammography.functional.phantom_study import PhantomStudy
from mammography.functional.phantom_vendor import VENDORS, digitise
from mammography.preparation.phantom_dicom import invent_person, write_phantom_dicom
from mammography.preparation.phantom_files import PhantomFile, plan_files, write_study
from mammography.structures.annotation import (
    Annotations,
    Finding,
    ImageRecord,
    write_annotations,
)
from mammography.structures.geometry import ImageGeometry
from mammography.structures.task import parse_tasks
from mammography.terms import Laterality, Split, ViewPosition

TASKS = (
    "malignant:binary",
    "density:ordinal=A,B,C,D",
    "birads:ordinal=1,2,3,4,5",
    "mass_size_mm:regression",
)


def phantom_view(
    laterality="L", view="CC", lesions=(), density=0.4, size_hw=(256, 208), seed=0
) -> PhantomView:
    """Return what decides one image; breasts differ with the seed."""
    return PhantomView(
        Laterality(laterality),
        ViewPosition(view),
        draw_shape(np.random.default_rng(seed)),
        density,
        tuple(lesions),
        size_hw,
        (seed,),
    )


def lesion(kind="mass", malignant=False, **values) -> Lesion:
    """Return a lesion in the middle of the breast."""
    return Lesion(LesionKind(kind), malignant, **values)


def phantom_image(vendor=None, **view):
    """Draw one image: ``(pixels, mask)``; brightness without a vendor, else stored values."""
    what = phantom_view(**view)
    image, mask = draw_phantom(what)
    if vendor is None:
        return image, mask
    label = f"{what.laterality}{what.view_position}"
    look = VENDORS[vendor] if isinstance(vendor, str) else vendor
    spacing = what.pixel_spacing_mm
    return digitise(what.rng(1), image, mask, look, spacing, label, what.laterality), mask


def write_phantom_file(path: Path, vendor="alpha", person=None, look=None, **view):
    """Write one DICOM file; ``look`` replaces fields of the vendor. Returns (pixels, mask)."""
    machine = replace(VENDORS[vendor], **(look or {}))
    what = phantom_view(**view)
    pixels, mask = phantom_image(machine, **view)
    person = person or invent_person(0, 0, 60)
    write_phantom_dicom(
        path, pixels, machine, person, what.laterality, what.view_position, what.pixel_spacing_mm
    )
    return pixels, mask


def write_phantom_study(root: Path, patients=4, size_hw=(128, 104), **options) -> list[PhantomFile]:
    """Write a study of small DICOM files in this process and return what it holds."""
    study = PhantomStudy(patients=patients, image_size_hw=size_hw, **options)
    write_study(root, study, workers=1)
    return list(plan_files(study))


def prepared_png_study(root: Path, patients=12, size_hw=(128, 104), tasks=TASKS, **options) -> Path:
    """Write what preparation would: 16-bit PNG and annotations, and return ``root``.

    Background is 0, tissue above 0, every breast points to the right, there are no
    labels. The first half of the patients are for training, the next
    quarter for validation, the last for testing.
    """
    options = {"vendors": ("alpha",), "missing_view_rate": 0.0} | options
    study = PhantomStudy(patients=patients, image_size_hw=size_hw, **options)
    specs = parse_tasks(tasks)
    (root / "images").mkdir(parents=True)
    records = [_prepare(root, file, specs) for file in plan_files(study)]
    for split in (*Split, None):
        rows = tuple(r for r in records if split in (None, r.split))
        path = root / "annotations" / f"{split or 'all'}.json"
        write_annotations(path, Annotations(specs, rows, "phantom"))
    return root


def _prepare(root, file, specs) -> ImageRecord:
    view = file.view
    image, mask = draw_phantom(replace(view, laterality=Laterality.LEFT))
    name = f"{file.person.patient_id}_{file.laterality}_{file.view_position}"
    pixels = np.where(mask, np.round(image * 65535), 0).astype(np.uint16)
    if not cv2.imwrite(str(root / f"images/{name}.png"), pixels):
        raise OSError(f"{name}.png was not written")
    values, number, study = file.patient.labels(file.laterality), file.patient.number, file.study
    findings = place_lesions(replace(view, laterality=Laterality.LEFT))
    height, width = view.size_hw
    return ImageRecord(
        img_path=f"images/{name}.png",
        patient_id=file.person.patient_id,
        exam_id=f"{file.person.patient_id}-1",
        image_id=name,
        laterality=file.laterality,
        view_position=file.view_position,
        manufacturer=VENDORS[file.patient.vendor].manufacturer,
        split=(Split.TRAIN, Split.TRAIN, Split.VAL, Split.TEST)[4 * number // study.patients],
        size_hw=view.size_hw,
        pixel_spacing_mm=(view.pixel_spacing_mm, view.pixel_spacing_mm),
        gt_label={n: task.encode(values[n]) for n, task in specs.items() if n in values},
        clinic_vars=file.patient.clinical,
        findings=tuple(
            Finding(p.box, p.lesion.kind.value, p.lesion.malignant, tuple(map(tuple, p.outline)))
            for p in findings
        ),
        geometry=ImageGeometry(
            view.size_hw, (0, 0, width, height), flipped=file.laterality is Laterality.RIGHT
        ),
    )
