import os

import pytest

from mammography.preparation import jobs
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.image import PreparationOptions
from mammography.preparation.study import DatasetOptions
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.journal import Journal
from mammography.terms import Laterality, Split
from table_study import (
    TASKS,
    output_bytes,
    path_of,
    read_rows,
    records_of,
    write_rows,
    write_table_study,
)


def mtimes(out):
    return {path.name: path.stat().st_mtime_ns for path in (out / "images").iterdir()}


def test_a_second_run_does_nothing_again(tmp_path, prepare):
    out = tmp_path / "study"
    assert prepare(out).reused == 0
    before, files = mtimes(out), output_bytes(out)
    assert prepare(out).reused == 8
    assert mtimes(out) == before
    assert output_bytes(out) == files


def test_other_labels_and_splits_are_written_without_reading_an_image(tmp_path, prepare, study):
    out = tmp_path / "study"
    prepare(out)
    rows = [
        row | {"path": str(study / row["path"]), "malignant": "0"}
        for row in read_rows(study / "table.csv")
    ]
    write_rows(study / "corrected.csv", [row | {"path": row["path"]} for row in rows])
    summary = prepare(out, root=study / "corrected.csv", seed=3)
    (study / "corrected.csv").unlink()
    assert summary.reused == 8
    assert {r.gt_label["malignant"] for r in records_of(out)} == {0.0}


def test_a_missing_a_cut_and_an_outdated_image_are_made_again(tmp_path, prepare, salt_file):
    folder = write_table_study(tmp_path / "source", images=4)
    out = tmp_path / "study"
    prepare(out, root=folder)
    files = output_bytes(out)
    first, second, third, _ = records_of(out)
    (out / first.img_path).unlink()
    (out / second.img_path).write_bytes(b"")
    source = folder / path_of(out, third)
    os.utime(source, ns=(1, 1))
    assert prepare(out, root=folder).reused == 1
    assert output_bytes(out) == files


def test_changed_options_are_done_again_and_changing_back_too(tmp_path, prepare):
    out = tmp_path / "study"
    flip = PreparationOptions(flip_to=Laterality.RIGHT)
    prepare(out)
    plain = output_bytes(out)
    assert prepare(out, preparation=flip).reused == 0
    assert output_bytes(out) != plain
    assert prepare(out).reused == 0
    assert output_bytes(out) == plain


def test_a_kill_between_a_new_png_and_its_line_leaves_no_old_line_as_the_last_word(
    tmp_path, prepare, monkeypatch
):
    out = tmp_path / "study"
    prepare(out)
    plain = output_bytes(out)

    def killed(journal, image_id, key, result):
        if result is not None:
            raise KeyboardInterrupt
        append(journal, image_id, key, result)

    append = Journal.append
    monkeypatch.setattr(Journal, "append", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(out, preparation=PreparationOptions(flip_to=Laterality.RIGHT))
    monkeypatch.undo()
    assert not (out / "prepared.json").exists()
    assert prepare(out).reused == 0
    assert output_bytes(out) == plain


def test_overwrite_does_everything_again(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out)
    files = output_bytes(out)
    assert prepare(out, overwrite=True).reused == 0
    assert output_bytes(out) == files


def test_images_of_earlier_runs_are_reported_and_kept(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out)
    summary = prepare(out, limit=5)
    assert len(summary.stale) == 3
    assert "PNG and cache files without annotation: 3" in str(summary)
    assert len(list((out / "images").iterdir())) == 8
    assert len(records_of(out)) == 5


def test_a_split_that_no_longer_exists_has_no_file_any_more(tmp_path, prepare):
    out = tmp_path / "study"
    prepare(out, fractions={Split.TRAIN: 0.5, Split.VAL: 0.5})
    prepare(out, fractions={Split.TRAIN: 1.0})
    assert sorted(path.name for path in (out / "annotations").iterdir()) == [
        "all.json",
        "train.json",
    ]


def test_images_left_half_written_by_a_kill_are_removed(tmp_path, prepare):
    out = tmp_path / "study"
    (out / "images").mkdir(parents=True)
    (out / "images" / ".i0123456789abcdef.png.77").write_bytes(b"half")
    prepare(out)
    assert not list((out / "images").glob(".*"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError, "unreadable file (PermissionError)"),
        (MemoryError, "too large for the memory"),
    ],
)
def test_what_the_machine_is_to_blame_for_is_tried_again(
    tmp_path, prepare, monkeypatch, error, reason
):
    real = jobs.prepare_image

    def fail_once(path, *rest):
        if path.name.endswith("_3.dcm"):
            raise error
        return real(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(jobs, "prepare_image", fail_once)
        summary = prepare(tmp_path / "study")
    assert list(summary.rejected.values()) == [reason]
    again = prepare(tmp_path / "study")
    assert (again.reused, again.rejected, again.counts["images"]) == (7, {}, 8)


def test_while_pixels_change_there_are_no_annotations_of_the_old_ones(
    tmp_path, prepare, monkeypatch
):
    out = tmp_path / "study"
    prepare(out)
    files = output_bytes(out)
    (out / "annotations" / "mine.json").write_text("{}")

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Crew, "for_each", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(out, preparation=PreparationOptions(flip_to=Laterality.RIGHT))
    assert [path.name for path in (out / "annotations").iterdir()] == ["mine.json"]
    (out / "annotations" / "mine.json").unlink()
    prepare(out)
    assert output_bytes(out) == files


def test_new_images_leave_the_annotations_in_place_until_they_are_done(
    tmp_path, prepare, monkeypatch
):
    out = tmp_path / "study"
    prepare(out, limit=5)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Crew, "for_each", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(out)
    assert len(records_of(out)) == 5


def test_another_salt_gives_other_names_and_tells_of_the_old_images(tmp_path, prepare, study):
    out, other = tmp_path / "study", tmp_path / "salt"
    prepare(out)
    other.write_text("cd" * 32)
    before = {record.image_id for record in records_of(out)}
    summary = prepare_dataset("table", out, study, DatasetOptions(tasks=TASKS, salt_file=other))
    assert not before & {record.image_id for record in records_of(out)}
    assert {name.removesuffix(".png") for name in summary.stale} == before
    assert "PNG and cache files without annotation: 8: of earlier runs; delete them" in str(summary)
