"""The worst errors as pictures."""

from pathlib import Path

import numpy as np

from mammography.reports.blocks import Block, Details, Gallery, Picture, Text, Tone
from mammography.reports.evidence.chapter import Chapter
from mammography.reports.evidence.study import Study
from mammography.reports.pictures import BOXES, annotated_picture
from mammography.reports.thumbnails import STRETCH
from mammography.terms import Level

PER_GROUP = 6


def pictures_chapter(study: Study) -> Chapter:
    """Show the negatives with the highest and the positives with the lowest scores."""
    model = study.reference
    recalled = model.scores >= model.threshold.value
    positive = study.labels == 1
    groups = (
        ("Worst false positives", np.flatnonzero(~positive & recalled), -model.scores),
        ("Worst false negatives", np.flatnonzero(positive & ~recalled), model.scores),
    )
    blocks: list[Block] = []
    rows = []
    for title, cases, by in groups:
        worst = cases[np.argsort(by[cases], kind="stable")][:PER_GROUP]
        rows += [_row(study, title, int(case)) for case in worst]
        if not len(worst):
            blocks.append(Text(f"{title}: none at the threshold of {model.name}.", Tone.MISSING))
            continue
        name = f"{title} ({len(worst)} of {len(cases):,}), {model.name}"
        blocks.append(Gallery(name, tuple(_picture(study, int(case)) for case in worst)))
    shown = [one for block in blocks if isinstance(block, Gallery) for one in block.pictures]
    blocks.insert(0, _note(study, shown))
    if rows and not study.options.overlays and study.rows is Level.IMAGE:
        blocks.append(_how_to_explain(study, rows))
    return Chapter("pictures", "Worst errors", tuple(blocks), {"worst_errors": rows})


def _note(study: Study, shown: list[Picture]) -> Text:
    shown_of_a_case = (
        "the image with the highest score"
        if study.rows is Level.IMAGE
        else f"the first view of the {study.rows} with the highest score, which has the score of "
        "all its views together"
    )
    text = f"Of each case {shown_of_a_case}. {STRETCH} {BOXES}"
    if not any(one.data_uri for one in shown):
        return Text(
            "The prepared images were not found: name the folder that img_path is relative to.",
            Tone.MISSING,
            "python tools/report.py DUMP --out DIR --data-root dataset/SOURCE",
        )
    if study.options.overlays:
        count = sum(bool(one.overlay_uri) for one in shown)
        text += f" {count} of {len(shown)} with a map of where the model looked laid over."
    return Text(text)


def _how_to_explain(study: Study, rows: list[dict[str, object]]) -> Details:
    """Give the commands that lay over these images where the model looked."""
    names = " ".join(str(row["image_id"]) for row in rows)
    return Details(
        "Where did the model look?",
        "python tools/explain.py CONFIG CHECKPOINT ANNOTATIONS.json --task "
        f"{study.task.name} --out explain --images {names}\n"
        "python tools/report.py DUMP... --out DIR --overlays explain/overlays",
    )


def _image(study: Study, case: int) -> int:
    """Return which image of a case has the highest score."""
    name = study.task.name
    return int(np.argmax([row.pred_score[name] for row in study.members[case]]))


def _name(study: Study, case: int) -> str:
    """Name an image by its pseudonym, never by its file."""
    row = study.members[case][_image(study, case)]
    return row.image_id or f"case {case + 1}"


def _picture(study: Study, case: int) -> Picture:
    row = study.members[case][_image(study, case)]
    score = study.reference.scores[case]
    view = " ".join(str(part) for part in (row.laterality, row.view_position) if part)
    name = _name(study, case)
    known = [
        attribute.values[case]
        for attribute in study.attributes
        if attribute.title in ("density", "vendor", "age")
    ]
    lines = (f"score {score:.3f}", " · ".join(filter(None, (view, name))), " · ".join(known))
    overlay = None
    if study.options.overlays and row.image_id:
        path = study.options.overlays / f"{Path(row.image_id).name}.png"
        overlay = path if path.is_file() else None
    return annotated_picture(
        (study.joined.root or Path()) / row.img_path,
        f"{view} {name}, score {score:.3f}",
        tuple(filter(None, lines)),
        study.joined.of(row),
        overlay,
    )


def _row(study: Study, title: str, case: int) -> dict[str, object]:
    row = study.members[case][_image(study, case)]
    told: dict[str, object] = {
        "kind": title,
        "image_id": _name(study, case),
        "patient_id": row.patient_id,
        "exam_id": row.exam_id,
        "laterality": row.laterality,
        "label": int(study.labels[case]),
        "score": float(study.reference.scores[case]),
    }
    return told | {attribute.title: attribute.values[case] for attribute in study.attributes}
