"""mini-MIAS on invented lines, and on discs drawn from the bottom left."""

import json
import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from dicom_files import draw_breast
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.options import PreparationOptions
from mammography.preparation.sources.mini_mias import DEFAULT_TASKS, read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import ImageKind, Laterality, ViewPosition

KINDS = ["mass", "calcification", "distortion", "asymmetry"]
TASKS = parse_tasks([*DEFAULT_TASKS, *(f"{name}:binary" for name in ("abnormal", *KINDS))])
LINES = """\
mdb001 G CIRC B 535 425 197
mdb002 G ASYM M 522 280 69
mdb003 D NORM
mdb004 D NORM
mdb005 F CIRC B 477 133 30
mdb005 F SPIC M 500 168 26
mdb009 F CIRC B
mdb010 D CALC M *NOTE 3*
mdb011 F ARCH B 400 500 20
"""
INTRODUCTION = """\
                  MAMMOGRAPHIC DATABASE

1st column: reference number; 5th,6th columns: x,y image-coordinates.
NOTES
=====
3) Coordinate system origin is the bottom-left corner.

"""
HEADER = "REFNUM BG CLASS SEVERITY X Y RADIUS\n"
ANY_SIDE = PreparationOptions(require_laterality=False)


def write_list(folder, text=LINES, name="Info.txt"):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


@pytest.fixture
def root(tmp_path):
    return write_list(tmp_path / "study")


def read(root, tasks=TASKS, **options):
    return {record.img_path[:6]: record for record in read_records(root, tasks, **options)}


def draw_film(path, side="left", **circle):
    """Draw a film from the bottom left upwards, and turn it over at the end.

    OpenCV counts to the middle of pixels, in halves of them when ``shift`` is 1: a circle
    through the middles of the last pixels is half a pixel smaller than what they cover.
    """
    film = (draw_breast((1024, 1024), top=150) // 2 + 5).astype(np.uint8)
    if circle:
        x, y, radius = circle["x"], circle["y"], circle["radius"]
        cv2.circle(film, (2 * x - 1, 2 * y - 1), 2 * radius - 1, 255, cv2.FILLED, shift=1)
    film = film[:, ::-1] if side == "right" else film
    cv2.imwrite(str(path), np.ascontiguousarray(film[::-1]))


def test_films_are_mlo_views_of_pairs_of_breasts_that_belong_to_one_patient(root):
    records = read(root)
    assert [r.patient_id for r in records.values()] == [
        "pair 1", "pair 1", "pair 2", "pair 2", "pair 3", "pair 5", "pair 5", "pair 6",
    ]  # fmt: skip
    assert all(r.exam_id == r.patient_id for r in records.values())
    assert {r.view_position for r in records.values()} == {ViewPosition.MLO}
    assert {r.image_kind for r in records.values()} == {ImageKind.MAMMOGRAM}


def test_the_worst_line_of_a_film_makes_its_label_and_a_normal_film_is_negative(root):
    labels = {film: record.gt_label for film, record in read(root).items()}
    assert [label["malignant"] for label in labels.values()] == [0, 1, 0, 0, 1, 0, 1, 0]
    assert [label["abnormal"] for label in labels.values()] == [1, 1, 0, 0, 1, 1, 1, 1]
    assert [label["tissue"] for label in labels.values()] == [1, 1, 2, 2, 0, 0, 2, 0]
    seen = {film: [kind for kind in KINDS if label[kind]] for film, label in labels.items()}
    assert seen == {
        "mdb001": ["mass"], "mdb002": ["asymmetry"], "mdb003": [], "mdb004": [],
        "mdb005": ["mass"], "mdb009": ["mass"], "mdb010": ["calcification"],
        "mdb011": ["distortion"],
    }  # fmt: skip


def test_normal_films_can_be_left_out_aloud(root, caplog):
    records = read(root, abnormal_only=True)
    assert not {"mdb003", "mdb004"} & set(records)
    assert len(records) == 6
    assert "normal films left out: 2" in caplog.text
    assert "films of the 322 that the list lacks: 314" in caplog.text


def test_a_circle_counts_from_the_bottom_and_becomes_a_box_and_64_corners_from_the_top(root):
    (finding,) = read(root)["mdb001"].findings
    assert finding.box == (535 - 197, 1024 - 425 - 197, 535 + 197, 1024 - 425 + 197)
    assert (finding.label, finding.malignant, len(finding.outline)) == ("mass", False, 64)
    assert all(math.hypot(x - 535, y - 599) == pytest.approx(197) for x, y in finding.outline)


def test_an_abnormality_without_a_place_gives_labels_and_no_finding(root):
    records = read(root)
    assert [len(record.findings) for record in records.values()] == [1, 1, 0, 0, 2, 0, 0, 1]
    assert [f.malignant for f in records["mdb005"].findings] == [False, True]
    assert [f.malignant for f in records["mdb002"].findings] == [True]


@pytest.mark.parametrize(
    "text",
    [
        INTRODUCTION + LINES,
        INTRODUCTION + HEADER + LINES,
        HEADER.lower() + LINES.replace(" ", "\t"),
        "\ufeff" + LINES.replace("\n", " \r\n"),
        LINES.replace(" *NOTE 3*", "  "),
        LINES + "\nNOTE 3: calcifications are spread over the breast\n*NOTE 3* as above\n",
    ],
)
def test_every_way_in_which_the_list_is_handed_on_gives_the_same(root, text):
    expected = read(root)
    (root / "other.txt").write_bytes(text.encode())
    assert read(root, table="other.txt") == expected


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("mdb1 G NORM", "REFNUM must be mdb001 to mdb322, got 'mdb1'"),
        ("mdb323 G NORM", "REFNUM must be mdb001 to mdb322, got 'mdb323'"),
        ("MDB020 G NORM", "REFNUM must be mdb001 to mdb322, got 'MDB020'"),
        ("mdb020 X NORM", "BG must be one of F, G, D, got 'X'"),
        ("mdb020 G", "CLASS must not be empty"),
        ("mdb020 G LUMP B 1 2 3", "CLASS must be one of CALC, CIRC, SPIC, MISC, ARCH, ASYM, NORM"),
        ("mdb020 G CIRC", "SEVERITY must not be empty"),
        ("mdb020 G CIRC N 1 2 3", "SEVERITY must be one of B, M, got 'N'"),
        ("mdb020 G NORM B", "SEVERITY must be empty after NORM, got 'B'"),
        ("mdb020 G CIRC B 535 425", "X Y RADIUS must be three whole numbers, *NOTE 3* or nothing"),
        ("mdb020 G CIRC B 1 2 3 4", "X Y RADIUS must be three whole numbers"),
        ("mdb020 G CIRC B 1 2 3.5", "X Y RADIUS must be three whole numbers"),
        ("mdb020 G CIRC B -1 2 3", "X Y RADIUS must be three whole numbers"),
        ("mdb020 G CIRC B *NOTE*", "X Y RADIUS must be three whole numbers"),
        ("mdb020 G CIRC B 1 1025 3", "X Y RADIUS must be a place on a film of 1024 x 1024"),
        ("mdb020 G CIRC B 1 2 0", "X Y RADIUS must be a place on a film of 1024 x 1024"),
        ("mdb001 D CIRC B 1 2 3", "BG must be G as in line 1, got 'D'"),
        ("mdb003 D CIRC B 1 2 3", "CLASS must not contradict line 3: a film is NORM or not"),
        ("mdb001 G CIRC B 535 425 197", "the line must differ from line 1, got 'mdb001'"),
        ("mbd020 G NORM", "the line must be about a film (mdb001), start with NOTE or be empty"),
    ],
)
def test_a_line_that_is_not_understood_is_refused_by_its_number(tmp_path, line, message):
    root = write_list(tmp_path, f"{LINES}\n{line}\n")
    with pytest.raises(TableError) as error:
        read(root)
    assert f"Info.txt: 1 bad cells\n  line 11: {message}" in str(error.value)
    found = count_source("mini_mias", root)
    assert (found.exit_code, found.counts["images"]) == (1, 8)


def test_a_list_with_other_columns_without_films_or_that_is_absent_is_refused(tmp_path):
    write_list(tmp_path, "REFNUM BG CLASS SEVERITY RADIUS X Y\n" + LINES)
    with pytest.raises(TableError, match="line 1: the header must be REFNUM BG CLASS SEVERITY X Y"):
        read(tmp_path)
    write_list(tmp_path, HEADER + "mbd001 G NORM\n" + LINES)
    with pytest.raises(TableError, match="line 2: the line must be about a film"):
        read(tmp_path)
    write_list(tmp_path, INTRODUCTION)
    with pytest.raises(TableError, match="must list films, such as 'mdb001 G CIRC B 535"):
        read(tmp_path)
    (tmp_path / "Info.txt").write_bytes(b"mdb001 G NORM \xff")
    with pytest.raises(TableError, match="must be UTF-8 text"):
        read(tmp_path)
    with pytest.raises(TableError, match=r"list\.txt must exist: name it with --source-options"):
        read(tmp_path, table="list.txt")


def test_an_unknown_option_or_task_and_a_film_with_two_files_are_errors(root):
    with pytest.raises(ValueError, match="laterality must be one of none, pairs, got 'odd'"):
        read(root, laterality="odd")
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .*, got density"):
        read_contents(root, parse_tasks(["density:binary"]))
    (root / "all-mias").mkdir()
    for name in ("mdb001.pgm", "all-mias/MDB001.PGM"):
        (root / name).write_bytes(b"")
    with pytest.raises(ValueError, match=r"must hold one file mdb001\.pgm, got two"):
        read(root)


def test_films_are_found_at_any_depth_and_those_that_the_list_lacks_are_counted(root, caplog):
    (root / "all-mias").mkdir()
    for name in ("MDB001.PGM", "mdb300.pgm", "mdb002.png"):
        (root / "all-mias" / name).write_bytes(b"")
    paths = [record.img_path for record in read_records(root, TASKS)]
    assert paths[:2] == ["all-mias/MDB001.PGM", "mdb002.pgm"]
    assert "files of films that the list lacks, left out: 1" in caplog.text


def test_the_side_is_unknown_unless_the_numbers_of_the_films_are_trusted(root, caplog):
    assert {record.laterality for record in read(root).values()} == {None}
    assert "keep them with --allow-unknown-laterality" in caplog.text
    caplog.clear()
    sides = [record.laterality for record in read(root, laterality="pairs").values()]
    assert sides[:4] == [Laterality.RIGHT, Laterality.LEFT] * 2
    assert "laterality" not in caplog.text


def test_a_dry_run_counts_films_pairs_and_what_has_no_place(root):
    counts = count_source("mini_mias", root).counts
    assert [counts[name] for name in ("rows", "images", "breasts", "exams", "patients")] == [
        9, 8, 0, 5, 5,
    ]  # fmt: skip
    assert counts["labels"]["malignant"] == {"0": 5, "1": 3, "missing": 0}
    assert counts["lines_by_class"]["CIRC"] == 3
    assert counts["abnormalities_without_place"] == 2
    told = DatasetOptions(source_options={"laterality": "pairs", "abnormal_only": "true"})
    counts = count_source("mini_mias", root, told).counts
    assert (counts["images"], counts["breasts"]) == (6, 6)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(("x", "y", "radius"), [(220, 400, 40), (240, 640, 23)])
def test_the_box_of_a_prepared_film_is_that_of_the_disc_that_was_drawn(
    tmp_path, side, x, y, radius
):
    place = x if side == "left" else 1024 - x
    root = write_list(tmp_path / "study", f"mdb001 G CIRC M {place} {y} {radius}\nmdb002 G NORM\n")
    draw_film(root / "mdb001.pgm", side, x=x, y=y, radius=radius)
    draw_film(root / "mdb002.pgm")
    out = tmp_path / "out"
    summary = prepare_dataset("mini_mias", out, root, DatasetOptions(preparation=ANY_SIDE))
    assert not summary.rejected
    records = read_annotations(out / "annotations" / "all.json").records
    (record,) = [record for record in records if record.findings]
    image = cv2.imread(str(out / record.img_path), cv2.IMREAD_UNCHANGED)
    assert image.dtype == np.uint16
    rows, columns = np.nonzero(image > 0.9 * image.max())
    drawn = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    (finding,) = record.findings
    assert finding.box == drawn
    assert len(rows) == pytest.approx(math.pi * radius**2, rel=0.02)
    assert record.geometry.to_source(finding.box) == (
        place - radius, 1024 - y - radius, place + radius, 1024 - y + radius,
    )  # fmt: skip


def test_films_are_prepared_either_way_and_a_wrong_side_is_a_doubt(tmp_path):
    root = write_list(tmp_path / "study", "mdb001 G NORM\nmdb002 G NORM\nmdb003 F NORM\n")
    draw_film(root / "mdb001.pgm", "right")
    draw_film(root / "mdb002.pgm", "right")
    summary = prepare_dataset("mini_mias", tmp_path / "default", root)
    assert summary.rejected == {
        "mdb001.pgm": "unknown laterality",
        "mdb002.pgm": "unknown laterality",
        "mdb003.pgm": "file does not exist",
    }
    pairs = DatasetOptions(source_options={"laterality": "pairs"})
    summary = prepare_dataset("mini_mias", tmp_path / "pairs", root, pairs)
    assert summary.doubts == {"mdb002.pgm": ["the chest wall lies on the side of the other breast"]}
    options = PreparationOptions(require_laterality=False, flip_to=Laterality.LEFT)
    prepare_dataset("mini_mias", tmp_path / "any", root, DatasetOptions(preparation=options))
    records = read_annotations(tmp_path / "any" / "annotations" / "all.json").records
    assert [record.geometry.flipped for record in records] == [True, True]
    facts = json.loads((tmp_path / "any" / "prepared.json").read_text())["facts"]
    assert facts["file_format"] == {"PGM": 2}


def test_the_pixel_size_that_no_pgm_file_holds_is_that_of_the_collection(tmp_path):
    root = write_list(tmp_path / "study", "mdb001 G NORM\n")
    draw_film(root / "mdb001.pgm")
    for options, scale in ((ANY_SIDE, 1.0), (replace(ANY_SIDE, spacing_mm=0.4), 0.5)):
        out = tmp_path / f"at_{scale}"
        prepare_dataset("mini_mias", out, root, DatasetOptions(preparation=options))
        (record,) = read_annotations(out / "annotations" / "all.json").records
        assert record.pixel_spacing_mm == pytest.approx((0.2 / scale, 0.2 / scale), rel=0.01)
        assert record.geometry.scale_hw == pytest.approx((scale, scale), rel=0.01)
    facts = json.loads((out / "prepared.json").read_text())["facts"]
    assert facts["spacing_source"] == {"given": 1}
