"""Some 260 bad files in one source: each has its one reason, and none stops the run."""

import json
import logging
import os
import resource
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from bad_cases import SECRET, dicom
from bad_files import CASES, DOUBTED, LONG, PATIENT, REJECTED, write_bad_study
from fuzzing import ONE_THREAD
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.finding_masks import find_findings
from mammography.preparation.headers.peek import peek
from mammography.preparation.image import prepare_image
from mammography.preparation.inspection.file import Inspector
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.preparation.study import DatasetOptions
from table_study import CELLS, IDENTITY, output_bytes, read_rows

TOOLS = Path(__file__).parents[2] / "tools"
GIBIBYTE = 1 << 30
NEEDLES = {*IDENTITY.values(), *CELLS.values(), SECRET, PATIENT, "Planted", "PLANTED"}
LONGEST_REASON = 140


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_bad_study(tmp_path_factory.mktemp("source") / "study")


def run(tool, *words, memory=3 * GIBIBYTE):
    """Run a tool with so much memory for each process."""
    return subprocess.run(
        [sys.executable, TOOLS / tool, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | ONE_THREAD,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )


@pytest.fixture(scope="module")
def prepared(source, tmp_path_factory):
    """Prepare the source by the tool in two processes; return the output and what it printed."""
    out = tmp_path_factory.mktemp("out") / "study"
    words = ["table", "--root", source, "--out", out, "--tasks", "malignant:binary"]
    return out, run("prepare_dataset.py", *words, "--workers", 2)


def listed(path, what):
    found = {}
    for row in read_rows(path):
        found.setdefault(row["path"], []).append(row[what])
    return found


def test_every_bad_file_is_listed_with_its_reason_and_every_good_one_is_prepared(prepared):
    out, ended = prepared
    assert listed(out / "rejected.csv", "reason") == {p: [r] for p, r in REJECTED.items()}
    assert listed(out / "doubts.csv", "doubt") == DOUBTED
    assert ended.returncode == 3
    done = json.loads((out / "prepared.json").read_text())
    assert done["rejected"] == Counter(REJECTED.values())
    assert done["prepared"]["images"] == len(CASES) - len(REJECTED)
    assert len(list((out / "images").iterdir())) == len(CASES) - len(REJECTED)


def test_one_process_says_the_same_and_prints_nothing(source, tmp_path, capfd, caplog):
    options = DatasetOptions(["malignant:binary"])
    summary = prepare_dataset("table", tmp_path / "study", source, options, workers=1)
    assert (summary.rejected, summary.doubts, summary.exit_code) == (REJECTED, DOUBTED, 3)
    assert capfd.readouterr() == ("", "")
    assert [record.name for record in caplog.records] == ["mammography.preparation.sources.table"]
    # The machine was to blame for none of them.
    again = prepare_dataset("table", tmp_path / "study", source, options)
    assert (again.reused, again.rejected) == (len(CASES), REJECTED)


def test_reasons_are_short_and_there_are_enough_cases():
    assert len(REJECTED) > 150
    assert max(map(len, REJECTED.values())) < LONGEST_REASON
    assert not [reason for reason in REJECTED.values() if "unexpected" in reason]


def test_nothing_about_the_patient_is_told_about_a_bad_file(prepared):
    out, ended = prepared
    told = output_bytes(out, times=True) | {
        "output": ended.stdout.encode(),
        "error output": ended.stderr.encode(),
    }
    assert {"rejected.csv", "doubts.csv", "prepared.json", "private/sources.csv"} < set(told)
    for name, content in told.items():
        for needle in NEEDLES:
            assert needle.encode() not in content, f"{needle} is in {name}"


def test_a_look_into_a_bad_header_never_raises(source, capfd):
    keywords = ["Columns", "ImageLaterality", "PatientOrientation", "ViewCodeSequence"]
    found = [peek(source / f"{name}.dcm", keywords) for name in CASES]
    assert {"ImageLaterality": "L"}.items() <= found[0].items()
    assert {} in found
    assert capfd.readouterr() == ("", "")


def test_no_log_quotes_a_bad_file_whatever_logging_is_set_up(tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "file"
    for case in CASES.values():
        if isinstance(case.data, bytes):
            path.write_bytes(case.data)
            Inspector(PreparationOptions())((1, path))
    assert capfd.readouterr() == ("", "")
    for needle in NEEDLES:
        assert needle not in caplog.text


def test_the_inspection_gives_the_same_reasons(source, tmp_path):
    words = [source, "--workers", 2, "--jsonl", tmp_path / "a.jsonl", "--csv", tmp_path / "a.csv"]
    words += ["--preview", tmp_path / "pictures", "--allow-unknown-laterality"]
    ended = run("inspect_dicom.py", *words)
    assert ended.returncode == 3
    text = (tmp_path / "a.jsonl").read_text()
    lines = {Path(line["path"]).name: line for line in map(json.loads, text.splitlines())}
    # Without a table the side is unknown, which was admitted.
    expected = {
        f"{name}.dcm": case.reason if case.reason != "unknown laterality" else None
        for name, case in CASES.items()
        if case.as_file
    }
    found = {name: line["rejected"] for name, line in lines.items()}
    assert found == expected | {"table.csv": "not a DICOM file"}
    for needle in NEEDLES:
        assert needle not in text + (tmp_path / "a.csv").read_text() + ended.stdout + ended.stderr


def test_a_name_that_is_no_text_is_told_as_it_is(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / os.fsdecode(b"\xff.dcm")).write_bytes(b"no DICOM")
    words = [tmp_path / "in", tmp_path / "absent", "--csv", tmp_path / "a.csv"]
    ended = run("inspect_dicom.py", *words, "--jsonl", tmp_path / "a.jsonl", "--workers", 1)
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (
        1,
        "2 files: 0 would be prepared (0 with doubts), 2 rejected",
    )
    assert b"/\xff.dcm,not a DICOM file," in (tmp_path / "a.csv").read_bytes()
    assert "\\udcff.dcm" in (tmp_path / "a.jsonl").read_text()


def test_a_spacing_that_would_blow_up_the_image_is_rejected(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(dicom(ImagerPixelSpacing=[4.9, 4.9]))
    with pytest.raises(RejectedImage, match="implausible size"):
        prepare_image(path, options=PreparationOptions(spacing_mm=0.01))


def test_a_mask_of_a_finding_costs_the_finding_only(source, capfd):
    masks = [[source / path] for path in REJECTED if path != f"{LONG}.dcm"]
    found = find_findings(masks, (160, 120))
    assert len(found.places) == len(masks)
    assert not [doubt for doubt in found.doubts if "unexpected" in doubt or SECRET in doubt]
    assert capfd.readouterr() == ("", "")
