"""A run as the training and test tools leave it, with invented numbers and pictures."""

import json
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
from mammography.structures.task import Task, parse_tasks

TASKS = parse_tasks(
    ["malignant:binary", "lvi:binary", "density:ordinal=A,B,C,D", "tumour_size:regression"]
)
SIZE_HW = (160, 100)


def labels_and_scores(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw labels with one positive in four and scores that follow them, ties included."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 4 == 0).astype(float)
    logits = rng.normal(1.6 * labels - 1.2, 1.0)
    return labels, np.round(1 / (1 + np.exp(-logits)), 2)


def records(n: int) -> tuple[PredictionRecord, ...]:
    """Predict ``n`` images of ``n / 2`` patients; ``lvi`` has labels of class 0 only."""
    rng = np.random.default_rng(1)
    labels, scores = labels_and_scores(n)
    rows = []
    for i in range(n):
        density = int(rng.integers(4))
        logits = rng.normal(0, 1, 4) + 2 * (np.arange(4) == density)
        size = float(rng.gamma(4, 5))
        gt_label = {"malignant": labels[i], "density": float(density)}
        gt_label |= {"lvi": 0.0} if i % 3 == 0 else {}
        gt_label |= {"tumour_size": size} if labels[i] else {}
        rows.append(
            PredictionRecord(
                img_path=f"images/{i:04d}.png",
                image_id=f"img{i:04d}",
                patient_id=f"pat{i // 2:04d}",
                exam_id=f"exam{i // 2:04d}",
                laterality="LR"[i // 2 % 2],
                view_position=("CC", "MLO")[i % 2],
                split="test",
                gt_label=gt_label,
                pred_score={
                    "malignant": float(scores[i]),
                    "lvi": float(scores[i] / 3),
                    "density": (np.exp(logits) / np.exp(logits).sum()).tolist(),
                    "tumour_size": size + float(rng.normal(0, 4)),
                },
            )
        )
    return tuple(rows)


def write_data(root: Path, rows: tuple[PredictionRecord, ...]) -> None:
    """Write 16-bit pictures and an annotation with one finding per positive."""
    (root / "images").mkdir(parents=True)
    y, x = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    images = []
    for i, row in enumerate(rows):
        breast = (x / 85) ** 2 + ((y - 80) / 70) ** 2 < 1
        noise = np.random.default_rng(i).normal(0, 2500, SIZE_HW)
        image = np.where(breast, 26000 + 90 * x + cv2.GaussianBlur(noise, (0, 0), 3) * 4, 0)
        positive = row.gt_label["malignant"] == 1
        image += positive * 16000 * np.exp(-((x - 45) ** 2 + (y - 70) ** 2) / 60)
        image = np.where(breast, np.clip(image, 1, 65535), 0).astype(np.uint16)
        cv2.imwrite(str(root / row.img_path), image)
        finding = Finding((30, 55, 60, 85), "mass", malignant=(True, False, None)[i // 4 % 3])
        images.append(
            ImageRecord(
                row.img_path,
                row.patient_id,
                image_id=row.image_id,
                size_hw=SIZE_HW,
                gt_label=row.gt_label,
                findings=(finding,) if positive else (),
            )
        )
    write_annotations(root / "annotations" / "test.json", Annotations(TASKS, tuple(images)))


def write_scalars(run_dir: Path, timestamp: str, epochs: range, per_epoch: int = 20) -> None:
    """Write the scalars of one start as mmengine does."""
    folder = run_dir / timestamp / "vis_data"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(epochs.start)
    lines = []
    for epoch in epochs:
        for i in range(1, per_epoch + 1):
            step = (epoch - 1) * per_epoch + i
            part = {
                f"{name}_loss": float(np.exp(-step / (150 + 60 * k)) + rng.uniform(0, 0.08))
                for k, name in enumerate(TASKS)
            }
            row = {"lr": 1e-3 * 0.9**epoch, "data_time": 0.02, "loss": sum(part.values()), **part}
            row |= {"grad_norm": 4.0 + float(rng.normal()), "time": 0.31, "memory": 5120}
            lines.append(row | {"epoch": epoch, "iter": step, "step": step})
        val = {
            "malignant/roc_auc": 0.85 - 0.35 * 0.8**epoch,
            "malignant/bce": 0.4 + 0.3 * 0.8**epoch,
            "lvi/roc_auc": float("nan"),
            "lvi/bce": 0.2 + 0.3 * 0.7**epoch,
            "tumour_size/mse": 40 * 0.9**epoch,
            "tumour_size/r2": 0.6 - 0.9**epoch,
        }
        lines.append(val | {"data_time": 0.1, "time": 0.2, "step": epoch})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "scalars.json").write_text(text)
    (folder / "config.py").write_text("model = dict(type='ImageClassifier')\nmax_epochs = 12\n")


def write_tests(
    run_dir: Path,
    rows: tuple[PredictionRecord, ...],
    info: dict,
    tasks: dict[str, Task] = TASKS,
) -> None:
    """Write ``test/predictions.json`` and a ``test/metrics.json`` that agrees with it."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    write_dump(run_dir / "test" / "predictions.json", Dump(tasks, rows, info))
    told = {}
    for name, task in tasks.items():
        labels = np.array([row.gt_label[name] for row in rows if name in row.gt_label])
        told[name] = {"n": len(labels)}
        if task.kind == "binary":
            scores = [row.pred_score[name] for row in rows if name in row.gt_label]
            told[name]["n_positive"] = int(labels.sum())
            both = len(set(labels)) == 2
            told[name]["roc_auc"] = float(roc_auc_score(labels, scores)) if both else None
            told[name]["average_precision"] = (
                float(average_precision_score(labels, scores)) if both else None
            )
            told[name]["bce"] = 0.52
            told[name]["notes"] = (
                [] if both else ["roc_auc not defined: only class 0 among 14 labelled images"]
            )
        elif task.kind == "regression":
            told[name] |= {"mse": 16.2, "r2": 0.81, "notes": []}
        else:
            told[name] |= {"accuracy": 0.63, "quadratic_kappa": 0.7, "notes": []}
    (run_dir / "test" / "metrics.json").write_text(json.dumps({"tasks": told, "info": {}}))


def write_run(root: Path, n: int = 40) -> Path:
    """Write a whole run that was resumed once, and the data it was tested on."""
    run_dir = (
        root / "work_dirs" / "resnet50w-transformer_1xb8-amp-coslr-12e_phantom-image-160x100px"
    )
    write_scalars(run_dir, "20250301_101500", range(1, 8))
    write_scalars(run_dir, "20250302_090000", range(6, 13))
    rows = records(n)
    data = root / "dataset" / "phantom"
    write_data(data, rows)
    (run_dir / "epoch_12.pth").touch()
    info = {
        "config": f"{run_dir.name}.py",
        "checkpoint": str(run_dir / "epoch_12.pth"),
        "split": "test",
        "tta": False,
        "versions": {"mammography": "0.1.0", "torch": "2.11.0"},
        "data_root": str(data),
        "ann_file": "annotations/test.json",
    }
    write_tests(run_dir, rows, info)
    return run_dir
