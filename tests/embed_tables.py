"""Invented tables of EMBED, with the documented columns."""

import csv

from mammography.preparation.sources.embed import DEFAULT_TASKS, read_contents
from mammography.structures.task import parse_tasks

TASKS = parse_tasks([
    *DEFAULT_TASKS,
    "pathology:ordinal=normal,benign,borderline,high risk,in situ,invasive",
    "age_years:regression",
])  # fmt: skip
CLINICAL, METADATA = "EMBED_OpenData_clinical.csv", "EMBED_OpenData_metadata.csv"
PATIENT, EXAM = "66685715", "4932273561626049"
SCREENING, DIAGNOSTIC = "MG Screening Bilateral w/CAD", "MG Diagnostic Left w/CAD"


def finding(**cells):
    """Return a row of the clinical table: a bilateral screening exam without finding."""
    return {
        "empi_anon": PATIENT, "acc_anon": EXAM, "desc": SCREENING, "numfind": 1, "side": "",
        "asses": "N", "tissueden": "2.0", "path_severity": "", "bside": "",
        "age_at_study": "52.031185", "ETHNICITY_DESC": "African American  or Black",
        "procdate_anon": "2015-04-16", "massshape": "",
    } | cells  # fmt: skip


def image(side="L", view="CC", exam=EXAM, patient=PATIENT, number=0, **cells):
    """Return a row of the metadata table."""
    name = f"cohort_1/{patient}/1.2.{exam}/1.2.826.{side}.{view}.{number}.dcm"
    return {
        "empi_anon": patient, "acc_anon": exam, "anon_dicom_path": f"/mnt/NAS2/mammo/anon_dicom/"
        f"{name}", "ImageLateralityFinal": side, "ViewPosition": view, "FinalImageType": "2D",
        "spot_mag": "", "num_roi": 0, "ROI_coords": "()", "BreastImplantPresent": "NO",
        "Manufacturer": "HOLOGIC, Inc.", "StudyDescription": "free text",
    } | cells  # fmt: skip


def write_rows(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_tables(root, findings=None, images=None, folder="tables"):
    write_rows(root / folder / CLINICAL, findings or [finding()])
    write_rows(root / folder / METADATA, images or [image("L"), image("R")])
    return root


def labels(root, tasks=TASKS, **options):
    """Return the labels of each side of the one exam."""
    records = read_contents(root, tasks, **options).records
    return {str(record.laterality): record.gt_label for record in records}


def malignant(root, findings, **options):
    """Return the label of the left and of the right breast; ``None`` where there is none."""
    found = labels(write_tables(root, findings), **options)
    return tuple(found[side].get("malignant") for side in "LR")
