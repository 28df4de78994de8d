"""Predictions of two invented models on the same screening exams, with what is known of them."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from mammography.structures.annotation import (
    Annotations,
    Finding,
    ImageRecord,
    write_annotations,
)
from mammography.structures.prediction import Dump, PredictionRecord, write_dump
from mammography.structures.task import parse_tasks

TASKS = parse_tasks(["malignant:binary"])
ANNOTATED = parse_tasks(["malignant:binary", "density:ordinal=A,B,C,D"])
VENDORS = ("Hologic", "Siemens", "GE")
SIZE_HW = (160, 100)


@dataclass(frozen=True)
class Invented:
    """Where an invented study lies."""

    root: Path
    dumps: tuple[Path, ...]


def _sigmoid(value):
    return 1 / (1 + np.exp(-value))


def invent_images(patients: int, seed: int = 0, mean_logit: float = -3.4) -> list[dict]:
    """Return two views of two breasts per patient; a label is drawn at its true risk."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(patients):
        patient = f"p{number:06x}"
        age = float(np.clip(rng.normal(58, 11), 36, 88).round())
        density, vendor = int(rng.choice(4, p=(0.1, 0.4, 0.4, 0.1))), int(rng.integers(3))
        own = rng.normal(0, 0.7)
        for side in "LR":
            risk = mean_logit + own + rng.normal(0, 2.0) + 0.03 * (age - 58)
            malignant = float(rng.random() < _sigmoid(risk))
            for view in ("CC", "MLO"):
                name = f"i{number:06x}{side}{view}".lower()
                rows.append(
                    {
                        "img_path": f"images/{name}.png",
                        "image_id": name,
                        "patient_id": patient,
                        "exam_id": f"e{number:06x}",
                        "laterality": side,
                        "view_position": view,
                        "malignant": malignant,
                        "risk": risk,
                        "density": density,
                        "age": age,
                        "vendor": VENDORS[vendor],
                        "site": ("north", "south")[number % 2],
                    }
                )
    return rows


def predictions(images: list[dict], noise: float, seed: int) -> tuple[PredictionRecord, ...]:
    """Predict the risk with noise, more of it in dense breasts, and tell how much."""
    rng = np.random.default_rng(seed)
    rows = []
    for image in images:
        spread = noise * (1 + 0.35 * image["density"])
        score = float(_sigmoid(image["risk"] + rng.normal(0, spread)))
        entropy = float(-score * np.log(score) - (1 - score) * np.log(1 - score))
        rows.append(
            PredictionRecord(
                img_path=image["img_path"],
                image_id=image["image_id"],
                patient_id=image["patient_id"],
                exam_id=image["exam_id"],
                laterality=image["laterality"],
                view_position=image["view_position"],
                split="test",
                gt_label={"malignant": image["malignant"]},
                pred_score={"malignant": score},
                pred_uncertainty={
                    "malignant": {"total": entropy, "epistemic": 0.3 * entropy * rng.random()}
                },
            )
        )
    return tuple(rows)


def write_annotation(path: Path, images: list[dict]) -> None:
    """Write what is known of the images."""
    records = tuple(
        ImageRecord(
            image["img_path"],
            image["patient_id"],
            image["exam_id"],
            image["image_id"],
            laterality=image["laterality"],
            view_position=image["view_position"],
            manufacturer=image["vendor"],
            size_hw=SIZE_HW,
            gt_label={"malignant": image["malignant"], "density": float(image["density"])},
            clinic_vars={"age_years": image["age"], "site": image["site"]},
            findings=(Finding((30, 55, 60, 85), "mass", malignant=True),)
            if image["malignant"]
            else (),
        )
        for image in images
    )
    write_annotations(path, Annotations(ANNOTATED, records, "invented"))


def write_pictures(root: Path, images: list[dict]) -> None:
    """Draw images of noise, with a bright spot where malignant, and maps that point at it."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "explain").mkdir(exist_ok=True)
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    breast = (x / 85) ** 2 + ((y - 80) / 70) ** 2 < 1
    spot = np.exp(-((x - 45) ** 2 + (y - 70) ** 2) / 60)
    for number, image in enumerate(images):
        noise = np.random.default_rng(number).normal(0, 2500, SIZE_HW)
        grey = 26000 + 90 * x + cv2.GaussianBlur(noise, (0, 0), 3) * 4
        grey = grey + image["malignant"] * 16000 * spot
        pixels = np.where(breast, np.clip(grey, 1, 65535), 0).astype(np.uint16)
        cv2.imwrite(str(root / image["img_path"]), pixels)
        heat = np.asarray(255 * spot * breast, np.uint8)
        cv2.imwrite(str(root / "explain" / f"{image['image_id']}.png"), heat)


def write_invented(
    root: Path,
    patients: int = 60,
    noises=(0.6, 1.3),
    pictures: Collection[str] | int = (),
    **info: object,
) -> Invented:
    """Write a dump per model and the annotation.

    Args:
        root: Folder to write to.
        patients: Each has four images.
        noises: How much each model is off.
        pictures: Which images to draw, by name, or how many.
        info: More to say in the dumps.
    """
    images = invent_images(patients)
    data = root / "dataset" / "invented"
    write_annotation(data / "annotations" / "test.json", images)
    drawn = images[:pictures] if isinstance(pictures, int) else images
    drawn = [i for i in drawn if isinstance(pictures, int) or i["image_id"] in pictures]
    write_pictures(data, drawn)
    dumps = []
    for number, noise in enumerate(noises):
        told = {
            "config": f"configs/model_{'ab'[number]}.py",
            "checkpoint": str(root / "secret" / "best.pth"),
            "split": "test",
            "ann_file": "annotations/test.json",
            "data_root": str(data),
            "versions": {"mammography": "0.1.0", "torch": "2.11.0"},
        }
        path = root / f"model_{'ab'[number]}.json"
        write_dump(path, Dump(TASKS, predictions(images, noise, number), told | info))
        dumps.append(path)
    return Invented(root, tuple(dumps))
