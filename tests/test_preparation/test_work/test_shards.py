import subprocess
import sys
import time
from pathlib import Path

import pytest

from mammography.preparation.image import PreparationOptions
from mammography.preparation.image_run import LostImageError
from mammography.preparation.pseudonym import read_salt
from mammography.preparation.work.crew import Crew
from mammography.preparation.work.occupancy import OccupiedError
from mammography.preparation.work.shards import Shard, parse_shard
from mammography.terms import Laterality
from table_study import output_bytes, read_rows, records_of, write_rows, write_table_study

TOOL = Path(__file__).parents[3] / "tools" / "prepare_dataset.py"
THIRDS = [Shard(part, 3) for part in (1, 2, 3)]


def pngs(out):
    return {path.name for path in (out / "images").glob("*.png")}


@pytest.mark.parametrize("parts", [1, 2, 3, 7, 12])
def test_every_item_lies_in_one_part_and_parts_are_of_one_size(parts):
    items = list(range(10))
    taken = [Shard(part, parts).take(items) for part in range(1, parts + 1)]
    assert sorted(item for part in taken for item in part) == items
    assert max(map(len, taken)) - min(map(len, taken)) <= 1


@pytest.mark.parametrize("text", ["", "3", "0/3", "4/3", "a/3", "1/0", "-1/3", "1/3/5", "1 / 3"])
def test_a_part_that_does_not_exist_is_refused(text):
    with pytest.raises(ValueError, match=r"--shard must be I/N with I from 1 to N, got"):
        parse_shard(text)


def test_calls_for_all_parts_at_once_and_a_merge_give_the_bytes_of_one_call(tmp_path, prepare):
    study = write_table_study(tmp_path / "source", images=30)
    out, whole = tmp_path / "parts" / "study", tmp_path / "whole" / "study"
    words = [sys.executable, TOOL, "table", "--root", study, "--out", out, "--workers", "1"]
    words += ["--tasks", "malignant:binary", "density:ordinal=A,B,C,D", "--cache", "npy"]
    calls = [
        subprocess.Popen(
            [*map(str, words), "--shard", str(shard)], stdout=subprocess.PIPE, text=True
        )
        for shard in THIRDS
    ]
    for shard, call in zip(THIRDS, calls, strict=True):
        last = call.communicate(timeout=120)[0].splitlines()[-1]
        assert call.returncode == 0
        assert last.startswith(f"{out}: shard {shard}: 10 prepared, 0 rejected (0 before)")
    assert len(pngs(out)) == 30
    assert not [name for name in ("annotations", "prepared.json") if (out / name).exists()]

    # Nobody gave a salt: the first of them made one, and the others took it.
    salt_file = out / "private" / "salt"
    merged = prepare(out, root=study, cache="npy", salt_file=salt_file)
    assert (merged.reused, merged.counts["images"]) == (30, 30)
    prepare(whole, root=study, cache="npy", salt_file=salt_file)
    (whole / "private" / "salt").write_bytes(salt_file.read_bytes())
    assert output_bytes(out) == output_bytes(whole)


def test_processes_that_need_a_salt_at_once_take_the_same(tmp_path):
    code = (
        "import sys, time; from pathlib import Path\n"
        "from mammography.preparation.pseudonym import read_salt\n"
        "folder, start = Path(sys.argv[1]), float(sys.argv[2])\n"
        "for place in range(60):\n"
        "    while time.time() < start + 0.01 * place: pass\n"
        "    print(read_salt(folder / str(place) / 'salt').hex())\n"
    )
    start = time.time() + 2
    calls = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), str(start)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    first, second = (call.communicate(timeout=60)[0].split() for call in calls)
    assert len(first) == 60
    assert first == second
    assert first == [read_salt(tmp_path / str(place) / "salt").hex() for place in range(60)]
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == {"salt"}


def test_a_part_prepares_its_images_only_and_says_what_is_next(tmp_path, prepare):
    out = tmp_path / "study"
    first = prepare(out, shard=Shard(1, 3))
    assert len(pngs(out)) == 3
    assert str(first).splitlines()[-1] == (
        f"{out}: shard 1/3: 3 prepared, 0 rejected (0 before): when all are done, "
        "the same command without --shard writes the annotations"
    )
    assert prepare(out, shard=Shard(1, 3)).reused == 3
    assert prepare(out).reused == 3
    assert len(records_of(out)) == 8


def test_a_part_without_images_is_no_failure(tmp_path, prepare):
    summary = prepare(tmp_path / "study", shard=Shard(12, 12))
    assert (summary.exit_code, summary.counts["images"]) == (0, 0)


def test_a_part_tells_its_rejections_and_the_merge_lists_them(tmp_path, prepare):
    study = write_table_study(tmp_path / "source", images=4)
    rows = read_rows(study / "table.csv")
    write_rows(study / "table.csv", [*rows, rows[0] | {"path": "no.dcm"}])
    out = tmp_path / "study"
    summary = prepare(out, root=study, shard=Shard(1, 5))
    assert (summary.exit_code, summary.rejected) == (3, {"no.dcm": "file does not exist"})
    assert "rejected: file does not exist: 1" in str(summary)
    assert not (out / "rejected.csv").exists()
    prepare(out, root=study)
    assert [row["path"] for row in read_rows(out / "rejected.csv")] == ["no.dcm"]


def test_a_part_that_changes_pixels_takes_the_annotations_of_all_away(tmp_path, prepare):
    out, flip = tmp_path / "study", PreparationOptions(flip_to=Laterality.RIGHT)
    prepare(out)
    prepare(out, shard=Shard(2, 2))
    assert (out / "prepared.json").exists()
    assert (out / "annotations" / "all.json").exists()
    prepare(out, shard=Shard(2, 2), preparation=flip)
    assert not (out / "prepared.json").exists()
    assert not (out / "annotations" / "all.json").exists()
    assert prepare(out, preparation=flip).reused == 4


def test_only_the_merge_removes_what_is_half_written(tmp_path, prepare):
    out = tmp_path / "study"
    (out / "images").mkdir(parents=True)
    half = out / "images" / ".i0123456789abcdef.png.node7-4711-0a1b2c3d"
    half.write_bytes(b"another part may be writing it at this moment")
    prepare(out, shard=Shard(1, 2))
    assert half.exists()
    prepare(out)
    assert not half.exists()


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [(None, None, True), (None, THIRDS[0], True), (THIRDS[0], None, True), (*THIRDS[:2], False)],
)
def test_parts_may_run_beside_each_other_and_a_whole_call_only_alone(
    tmp_path, prepare, monkeypatch, first, second, is_refused
):
    out, plain, outcome = tmp_path / "study", Crew.for_each, []

    def meanwhile(crew, work, items, *rest):
        monkeypatch.setattr(Crew, "for_each", plain)
        try:
            outcome.append(prepare(out, shard=second))
        except OccupiedError as error:
            outcome.append(error)
        return crew.for_each(work, items, *rest)

    monkeypatch.setattr(Crew, "for_each", meanwhile)
    prepare(out, shard=first)
    assert isinstance(outcome[0], OccupiedError) == is_refused
    if is_refused:
        assert str(outcome[0]) == (
            f"{out}: no other call may work there, got one that runs: wait until it has ended"
        )
    assert prepare(out).exit_code == 0


def test_an_image_that_somebody_takes_away_meanwhile_is_an_error(tmp_path, prepare, monkeypatch):
    out, plain = tmp_path / "study", Crew.for_each

    def and_then_lose_one(crew, *rest):
        fatal = plain(crew, *rest)
        next((out / "images").glob("*.png")).unlink()
        return fatal

    monkeypatch.setattr(Crew, "for_each", and_then_lose_one)
    with pytest.raises(LostImageError, match="1 images are not as they were prepared: run again"):
        prepare(out)
    assert not (out / "prepared.json").exists()
    monkeypatch.undo()
    assert prepare(out).reused == 7
