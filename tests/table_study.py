"""A small study for tests: DICOM files of drawn breasts, full of identity, and their table."""

import csv
from pathlib import Path

import cv2

from dicom_files import draw_breast, write_dicom
from mammography.structures.annotation import read_annotations

TASKS = ("malignant:binary", "density:ordinal=A,B,C,D")

# Nothing of this may be found in an output.
IDENTITY = {
    "PatientName": "Planted^Person",
    "PatientID": "PLANTED-MRN-4711",
    "PatientBirthDate": "19560412",
    "StudyDate": "20190321",
    "AccessionNumber": "ACC-98765",
    "StudyInstanceUID": "1.2.826.0.1.3680043.9.9999.1",
    "SeriesInstanceUID": "1.2.826.0.1.3680043.9.9999.2",
    "ReferringPhysicianName": "Planted^Doctor",
    "InstitutionName": "Planted Hospital",
    "StationName": "PLANTED-STATION",
    "OperatorsName": "Planted^Operator",
    "ImageComments": "planted remark of 21.03.2019",
    "DeviceSerialNumber": "SN-PLANTED",
}
CELLS = {"name": "Jane Cellname", "visit_date": "2018-11-05", "remark": "free text of a cell"}


def write_table_study(folder: Path, images: int = 8, size_hw=(300, 200)) -> Path:
    """Write images of two views per patient and ``table.csv``; return the folder."""
    (folder / "scans").mkdir(parents=True)
    rows = []
    for number in range(images):
        patient = f"PLANTED-MRN-{number // 2}"
        path = folder / "scans" / f"{patient}_{number}.dcm"
        pixels = draw_breast(size_hw, noise=20, seed=number)
        tags = IDENTITY | {
            "PatientID": patient,
            "SOPInstanceUID": f"1.2.826.0.1.3680043.9.{number}",
        }
        write_dicom(path, pixels, ImageLaterality="L", **tags)
        rows.append(
            {
                "path": f"scans/{path.name}",
                "patient_id": patient,
                "exam_id": IDENTITY["StudyInstanceUID"],
                "laterality": "L",
                "view": ("CC", "MLO")[number % 2],
                "malignant": number // 2 % 2,
                "density": "ABCD"[number // 2 % 4],
                "age": 50 + number,
                **CELLS,
            }
        )
    write_rows(folder / "table.csv", rows)
    return folder


def read_rows(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def output_bytes(out: Path, times: bool = False) -> dict[str, bytes]:
    """Content of every output; without those that hold times: journal and prepared.json."""
    names = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in names.items()
        if times or not (name.startswith(".journal/") or name == "prepared.json")
    }


def records_of(out, split="all"):
    return read_annotations(out / "annotations" / f"{split}.json").records


def image_of(out, record):
    return cv2.imread(str(out / record.img_path), cv2.IMREAD_UNCHANGED)


def path_of(out, record):
    with (out / "private" / "sources.csv").open(newline="") as file:
        return {row["image_id"]: row["path"] for row in csv.DictReader(file)}[record.image_id]
