"""Invented rows in the four tables of CBIS-DDSM, with the oddities of the real ones."""

import csv

WORDS = {"train": "Training", "test": "Test"}
TABLES = [(kind, split) for kind in ("mass", "calc") for split in ("train", "test")]


def uid(text, number=0):
    return f"1.2.826.0.1.{sum(map(ord, text))}.{number}.{10000 + sum(map(ord, text))}"


def row(kind, split, patient, side="LEFT", view="CC", number=1, **cells):
    """Return one row as the official tables have it, line breaks included."""
    folder = f"{kind.capitalize()}-{WORDS[split]}_{patient}_{side}_{view}"
    path = f"{folder}/{uid(folder, 1)}/{uid(folder, 2)}/000000.dcm"
    part = f"{folder}_{number}/{uid(folder, 3)}/{uid(folder, 4)}"
    density, kind_columns = {
        "mass": ("breast_density", {"mass shape": "OVAL", "mass margins": "N/A"}),
        "calc": ("breast density", {"calc type": "AMORPHOUS", "calc distribution": "N/A"}),
    }[kind]
    return {
        "patient_id": patient,
        density: "2",
        "left or right breast": side,
        "image view": view,
        "abnormality id": str(number),
        "abnormality type": {"mass": "mass", "calc": "calcification"}[kind],
        **kind_columns,
        "assessment": "4",
        "pathology": "BENIGN",
        "subtlety": "3",
        "image file path": path + "\n",
        "cropped image file path": f"{part}/000000.dcm\n",
        "ROI mask file path": f"{part}/000001.dcm\n",
    } | {density if name == "density" else name: value for name, value in cells.items()}


def write_tables(folder, *rows):
    """Write the four tables; every one has at least an image of a patient of its own."""
    folder.mkdir(exist_ok=True)
    for number, (kind, split) in enumerate(TABLES):
        part = [r for r in rows if is_of(r, kind, split)]
        part = part or [row(kind, split, f"P_9000{number}")]
        with (folder / f"{kind}_case_description_{split}_set.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(part[0]))
            writer.writeheader()
            writer.writerows(part)
    return folder


def is_of(cells, kind, split):
    return cells["image file path"].startswith(f"{kind.capitalize()}-{WORDS[split]}")
