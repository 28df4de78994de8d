"""What was run, on what, and what to beware of."""

from datetime import datetime
from pathlib import PurePath
from typing import Any

from mammography.reports.blocks import Block, Facts, Section, Text, Tone
from mammography.reports.cautions import cautions
from mammography.reports.run_folder import Run
from mammography.reports.wording import counted

PSEUDONYMS = (
    "Images are named as in the annotation file: by pseudonyms where tools/prepare_dataset.py "
    "made it, otherwise by the names of their files. The page shows mammograms: keep "
    "it as you keep them."
)

# Facts that have a row of their own, and what the others are called.
_TOLD = frozenset({"checkpoint", "versions", "data_root", "ann_file"})
_TITLES = {
    "config": "Config tested",
    "split": "Split tested",
    "tta": "Test-time augmentation",
    "amp": "Mixed precision",
    "level": "One prediction is of one",
    "clinic_vars": "Clinical variables given",
}


def summary_section(run: Run) -> Section:
    """Say what was run; warnings first."""
    blocks: list[Block] = [Text(text, Tone.WARNING) for text in cautions(run)]
    blocks += [Facts(tuple(_facts(run))), Text(PSEUDONYMS)]
    return Section("summary", "Summary", tuple(blocks))


def _facts(run: Run) -> list[tuple[str, str]]:
    rows = [
        ("Training started", _dates(run.log.folders)),
        ("Weights tested", _tail(run.info.get("checkpoint"))),
        ("Weights in the folder", ", ".join(run.checkpoints) or "none"),
        ("Tested on", _tested(run)),
        ("Data folder", _tail(run.info.get("data_root"))),
        ("Annotations", _tail(run.info.get("ann_file"))),
    ]
    tasks = list(run.dump.tasks) if run.dump else list(run.metrics or {})
    rows.append(("Tasks", ", ".join(tasks) or "none tested"))
    versions = run.info.get("versions")
    if isinstance(versions, dict):
        rows.append(("Versions", ", ".join(f"{name} {value}" for name, value in versions.items())))
    rows += [
        (_TITLES.get(key, str(key)), _plain(value))
        for key, value in run.info.items()
        if key not in _TOLD
    ]
    return rows


def _tested(run: Run) -> str:
    """Count images, patients and exams of the test."""
    if run.dump is None:
        return "no predictions"
    records = run.dump.records
    parts = [counted(len(records), "image")]
    for noun, names in (
        ("patient", [record.patient_id for record in records]),
        ("exam", [record.exam_id for record in records]),
    ):
        known = {name for name in names if name is not None}
        parts.append(counted(len(known), noun) if None not in names else f"{noun}s not recorded")
    return ", ".join(parts)


def _dates(folders: tuple[str, ...]) -> str:
    """Read the times of the starts from the names mmengine gives their folders."""
    return ", ".join(_date(name) for name in folders) or "no training log"


def _date(name: str) -> str:
    try:
        return datetime.strptime(name, "%Y%m%d_%H%M%S").isoformat(" ")
    except ValueError:
        return name


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _tail(path: Any) -> str:
    """Name a file by its folder and name: enough to find it, nothing about the machine."""
    return "/".join(PurePath(str(path)).parts[-2:]) if path else "not recorded"
