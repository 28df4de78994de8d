"""Real films twice: as they are, and as another scanner would give them.

python tests/film_contrast.py DIR writes DIR/film and DIR/shifted, each with a table; the test
films are the same ones, so that a difference between the two is that of the contrast alone.
"""

import csv
import sys
from pathlib import Path

import cv2
import numpy as np

from golden import shared_data

GAMMA = 0.5  # Bright, flat in the dense tissue: far from what training sees.


def other_contrast(film):
    """Return an 8-bit film under another characteristic curve; black stays black."""
    return np.rint(255 * (film / 255) ** GAMMA).astype(np.uint8)


def write_film_study(out: Path) -> None:
    """Write the fatty (A) and the dense (D) films; a half trains, the other half tests."""
    source = shared_data("ddsm_tissue")
    with (source / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["density"] in "AD"]
    rows = [row for row in rows if "_LI" not in row["file"]]
    for name, change in (("film", np.asarray), ("shifted", other_contrast)):
        (out / name).mkdir(parents=True, exist_ok=True)
        lines = []
        for density in "AD":
            films = sorted(r["file"] for r in rows if r["density"] == density)
            for place, path in enumerate(films):
                film = cv2.imread(str(source / path), cv2.IMREAD_GRAYSCALE)
                cv2.imwrite(str(out / name / Path(path).name), change(film))
                split = "test" if place % 2 else ("val" if place % 10 == 0 else "train")
                patient = Path(path).name.split(".")[0]
                lines.append([Path(path).name, patient, "R", "MLO", int(density == "D"), split])
        with (out / name / "films.csv").open("w", newline="") as file:
            header = ["path", "patient_id", "laterality", "view", "dense", "split"]
            csv.writer(file).writerows([header, *lines])


if __name__ == "__main__":
    write_film_study(Path(sys.argv[1]))
