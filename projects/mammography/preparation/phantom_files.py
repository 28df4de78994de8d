"""Write the DICOM files of a synthetic study, and what is true of each."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from tqdm import tqdm

from mammography.functional.phantom import PhantomView, draw_phantom, place_lesions
from mammography.functional.phantom_study import (
    PhantomPatient,
    PhantomStudy,
    plan_patient,
    plan_view,
)
from mammography.functional.phantom_vendor import digitise
from mammography.preparation.phantom_dicom import (
    PhantomPerson,
    invent_patient_id,
    invent_person,
    write_phantom_dicom,
)
from mammography.structures.annotation import Finding
from mammography.terms import Laterality, ViewPosition

_STUDY_FILE, _TRUTH_FILE = "study.json", "truth.json"


@dataclass(frozen=True)
class PhantomFile:
    """One image of a study: known before it is drawn.

    Attributes:
        study: The study.
        patient: Whose image.
        laterality: Which breast.
        view_position: CC or MLO.
    """

    study: PhantomStudy
    patient: PhantomPatient
    laterality: Laterality
    view_position: ViewPosition

    @property
    def path(self) -> str:
        """Where the file lies below the root of the study."""
        folder = invent_patient_id(self.study.seed, self.patient.number)
        return f"{folder}/{folder}_{self.laterality}_{self.view_position}.dcm"

    @property
    def person(self) -> PhantomPerson:
        """The invented person in its header."""
        return invent_person(
            self.study.seed, self.patient.number, self.patient.clinical["age_years"]
        )

    @property
    def view(self) -> PhantomView:
        """What is drawn."""
        return plan_view(self.study, self.patient, self.laterality, self.view_position)

    def findings(self) -> tuple[Finding, ...]:
        """Return the lesions, outlined in pixels of the file."""
        return tuple(
            Finding(
                box=tuple(round(v, 2) for v in placed.box),  # type: ignore[arg-type]
                label=placed.lesion.kind.value,
                malignant=placed.lesion.malignant,
                outline=tuple((float(x), float(y)) for x, y in np.round(placed.outline, 2)),
            )
            for placed in place_lesions(self.view)
        )

    def write(self, root: Path) -> None:
        """Draw the image and write the file."""
        view, look = self.view, self.study.look(self.patient)
        image, mask = draw_phantom(view)
        label = f"{self.laterality}{self.view_position}"
        pixels = digitise(
            view.rng(1), image, mask, look, view.pixel_spacing_mm, label, self.laterality
        )
        write_phantom_dicom(
            root / self.path,
            pixels,
            look,
            self.person,
            self.laterality,
            self.view_position,
            view.pixel_spacing_mm,
        )

    def truth(self) -> dict[str, Any]:
        """Return all that is known of the image, in the plain form."""
        view, person = self.view, self.person
        lesions = zip(self.findings(), view.lesions, strict=True)
        return {
            "path": self.path,
            "patient_id": person.patient_id,
            "exam_id": person.study_uid,
            "laterality": self.laterality,
            "view_position": self.view_position,
            "vendor": self.patient.vendor,
            "size_hw": view.size_hw,
            "pixel_spacing_mm": view.pixel_spacing_mm,
            **self.patient.labels(self.laterality),
            "clinic_vars": self.patient.clinical,
            "lesions": [
                asdict(finding) | {"size_mm": lesion.size_mm, "contrast": lesion.contrast}
                for finding, lesion in lesions
            ],
        }


def plan_files(study: PhantomStudy) -> Iterator[PhantomFile]:
    """Yield the images of a study, patient by patient."""
    for number in range(study.patients):
        patient = plan_patient(study, number)
        for laterality, view_position in patient.views:
            yield PhantomFile(study, patient, laterality, view_position)


def write_study(root: Path, study: PhantomStudy, workers: int = 0) -> None:
    """Write the DICOM files of a study that are not there yet, then ``truth.json``.

    Every image is drawn from the seed, its patient and its view alone: order, workers and
    interruptions change nothing.

    Args:
        root: Folder of the study; made when there is none.
        study: What it holds; may have more or fewer patients than the folder.
        workers: Processes; 0 takes one per core.

    Raises:
        ValueError: If ``root`` holds another study.
    """
    _claim(root, study)
    missing = [file for file in plan_files(study) if not (root / file.path).exists()]
    if missing:
        cores = min(workers or joblib.cpu_count(), len(missing) // 16 + 1)
        pool = joblib.Parallel(cores, return_as="generator_unordered", batch_size=4)
        done = pool(joblib.delayed(file.write)(root) for file in missing)
        for _ in tqdm(done, "drawing phantoms", len(missing), unit="image"):
            pass
    images = [file.truth() for file in plan_files(study)]
    _write_json(root / _TRUTH_FILE, {"study": asdict(study), "images": images})


def _claim(root: Path, study: PhantomStudy) -> None:
    """Note what a folder holds, or check that it holds the same, whatever the number."""
    path = root / _STUDY_FILE
    wanted = json.loads(json.dumps(asdict(replace(study, patients=1))))
    del wanted["patients"]
    if not path.exists():
        root.mkdir(parents=True, exist_ok=True)
        _write_json(path, wanted)
    held = json.loads(path.read_text(encoding="utf-8"))
    other = [name for name in wanted if held.get(name) != wanted[name]]
    if other:
        raise ValueError(
            f"{root} must hold the same study, got other {', '.join(other)}: it was drawn with "
            + " ".join(f"{name}={_as_option(held.get(name))}" for name in other)
            + "; give these options, or another folder"
        )


def _as_option(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _write_json(path: Path, content: Any) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(path)
