"""EMBED on invented rows: the real tables are handed out on request only."""

import json
import re

import pytest

from dicom_files import draw_breast, write_dicom
from embed_tables import (
    CLINICAL,
    DIAGNOSTIC,
    EXAM,
    METADATA,
    PATIENT,
    SCREENING,
    TASKS,
    finding,
    image,
    labels,
    write_rows,
    write_tables,
)  # fmt: skip
from mammography.preparation.converters import find_converter
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.sources.embed import read_contents, read_records
from mammography.preparation.study import DatasetOptions
from mammography.preparation.tables import TableError
from mammography.structures.annotation import read_annotations
from mammography.structures.task import parse_tasks
from mammography.terms import ImageKind, Laterality, Level, ViewModifier, ViewPosition


def test_types_of_image_are_told_apart_and_those_left_out_are_counted(tmp_path, caplog):
    kinds = ["2D", "cview", "C-view", "3D", "ROI_SSC", "ROI_SS", "other"]
    rows = [image(number=i, FinalImageType=kind) for i, kind in enumerate(kinds)]
    # What is not wanted need not be understood: screens have no side and no view.
    rows[4] |= {"ImageLateralityFinal": "screen", "ROI_coords": "?"}
    write_tables(tmp_path, images=rows)
    assert [r.image_kind for r in read_records(tmp_path, TASKS)] == [ImageKind.MAMMOGRAM]
    assert "files of type cview, left out: 2" in caplog.text
    assert "files of type ROI_SSC, left out: 1" in caplog.text
    found = read_contents(tmp_path, TASKS, image_types=("2D", "cview", "3D"))
    assert [r.image_kind for r in found.records] == [
        ImageKind.MAMMOGRAM, ImageKind.SYNTHETIC, ImageKind.SYNTHETIC, ImageKind.TOMOSYNTHESIS,
    ]  # fmt: skip
    assert found.facts["files_by_type"] == {
        "2D": 1, "3D": 1, "ROI_SS": 1, "ROI_SSC": 1, "cview": 2, "other": 1,
    }  # fmt: skip


def test_spot_and_magnification_views_are_marked_or_left_out(tmp_path):
    rows = [image(number=i, spot_mag=cell) for i, cell in enumerate(["1.0", "0", ""])]
    write_tables(tmp_path, images=rows)
    special, *plain = read_contents(tmp_path, TASKS).records
    assert set(special.view_modifiers) == {
        ViewModifier.SPOT_COMPRESSION,
        ViewModifier.MAGNIFICATION,
    }
    assert [record.view_modifiers for record in plain] == [(), ()]
    found = read_contents(tmp_path, TASKS, special_views=False)
    assert len(found.records) == 2
    assert found.facts["left_out"] == {"spot compression and magnification views": 1}


def test_a_view_of_the_header_that_we_have_no_term_for_is_unknown_and_counted(tmp_path):
    views = ["CC", "mlo", "XCCL", "AT", "AT", "nan", ""]
    rows = [image(view=view, number=i) for i, view in enumerate(views)]
    write_tables(tmp_path, images=rows)
    found = read_contents(tmp_path, TASKS)
    known = [ViewPosition.CC, ViewPosition.MLO, ViewPosition.XCCL]
    assert [record.view_position for record in found.records] == [*known, *[None] * 4]
    assert found.facts["views_without_term"] == {"AT": 2}


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("/mnt/NAS2/mammo/anon_dicom/cohort_1/p/a.dcm", {}),
        ("images/cohort_1/p/a.dcm", {}),
        ("./images/cohort_1/p/a.dcm", {}),
        ("cohort_1/p/a.dcm", {}),
        ("/data/EMBED/cohort_1/p/a.dcm", {"prefix": "/data/EMBED"}),
        ("s3/cohort_1/p/a.dcm", {"prefix": "s3"}),
    ],
)
def test_a_path_of_the_publishers_becomes_one_below_the_root(tmp_path, written, options):
    write_tables(tmp_path, images=[image(anon_dicom_path=written)])
    (record,) = read_contents(tmp_path, TASKS, **options).records
    assert record.img_path == "images/cohort_1/p/a.dcm"
    for folder, expected in {".": "cohort_1/p/a.dcm", "dcm/x": "dcm/x/cohort_1/p/a.dcm"}.items():
        (record,) = read_contents(tmp_path, TASKS, images=folder, **options).records
        assert record.img_path == expected


def test_rows_that_repeat_a_file_are_one_image_and_rows_that_contradict_are_refused(tmp_path):
    write_tables(tmp_path, images=[image(), image()])
    found = read_contents(tmp_path, TASKS)
    assert len(found.records) == 1
    assert found.facts["left_out"] == {"rows that repeat another one": 1}
    other = image() | {"ViewPosition": "MLO"}
    write_tables(tmp_path, images=[image(), other])
    with pytest.raises(TableError, match="row 3: anon_dicom_path must differ from that of row 2"):
        list(read_records(tmp_path, TASKS))


def test_images_of_an_exam_without_clinical_row_are_left_out_aloud_or_unlabelled(tmp_path, caplog):
    write_tables(tmp_path, images=[image(), image(exam="77", number=1)])
    assert [r.exam_id for r in read_records(tmp_path, TASKS)] == [EXAM]
    assert "images of exams without clinical row, left out: 1" in caplog.text
    _, extra = read_records(tmp_path, TASKS, unlisted=True)
    assert (extra.exam_id, extra.gt_label, extra.clinic_vars) == ("77", {}, {"implant": False})


def test_an_exam_without_image_is_counted(tmp_path):
    write_tables(tmp_path, [finding(), finding(acc_anon="78")])
    found = read_contents(tmp_path, TASKS)
    assert found.facts["exams_without_image"] == 1
    assert {record.exam_id for record in found.records} == {EXAM}


def test_images_of_an_exam_that_two_patients_have_are_left_out_aloud(tmp_path, caplog):
    rows = [finding(), finding(acc_anon="77"), finding(acc_anon="77", empi_anon="1")]
    images = [image(), image(exam="77", number=1)]
    write_tables(tmp_path, rows, images)
    assert [r.exam_id for r in read_records(tmp_path, TASKS)] == [EXAM]
    assert "images of exams of two patients, left out: 1" in caplog.text
    # Of one clinical patient, but some images or all of them of another one.
    for patients in [(PATIENT, "1"), ("1", "1")]:
        images[1:] = [image(exam="77", patient=p, number=i) for i, p in enumerate(patients)]
        write_tables(tmp_path, rows[:2], images)
        found = count_source("embed", tmp_path)
        assert (found.exit_code, found.counts["images"]) == (0, 1)
        assert found.counts["left_out"] == {"images of exams of two patients": 2}


@pytest.mark.parametrize(
    ("descriptions", "kind"),
    [
        (["MG Screen Bilat w/Tomo/CAD Stnd Protocol"], "screening"),
        (["MG Diagnostic Mammo Left w/CAD"], "diagnostic"),
        (["US Breast Bilateral Complete"], "other"),
        ([""], "other"),
        ([SCREENING, DIAGNOSTIC], "other"),
    ],
)
def test_the_kind_of_an_exam_is_in_its_description_and_can_be_chosen(tmp_path, descriptions, kind):
    write_tables(tmp_path, [finding(desc=text) for text in descriptions])
    found = read_contents(tmp_path, TASKS)
    assert {record.clinic_vars["exam_kind"] for record in found.records} == {kind}
    assert found.facts["exams_by_kind"] == {kind: 1}
    chosen = read_contents(tmp_path, TASKS, exams=("screening",))
    assert len(chosen.records) == (2 if kind == "screening" else 0)
    if kind != "screening":
        assert chosen.facts["left_out"] == {f"images of exams of kind {kind}": 2}


def test_clinical_variables_are_whole_years_the_implant_and_the_race_if_asked_for(tmp_path):
    write_tables(tmp_path, images=[image(BreastImplantPresent="YES")])
    (record,) = read_contents(tmp_path, TASKS).records
    known = {"age_years": 52, "exam_kind": "screening", "implant": True}
    assert record.clinic_vars == known
    (record,) = read_contents(tmp_path, TASKS, race=True).records
    assert record.clinic_vars == known | {"race": "African American or Black"}


def test_the_race_is_read_only_if_asked_for_and_then_needs_its_column(tmp_path):
    write_tables(tmp_path, [finding(ETHNICITY_DESC="x" * 65)])
    assert "race" not in read_contents(tmp_path, TASKS).records[0].clinic_vars
    (problems, _) = read_contents(tmp_path, TASKS, race=True).problems
    assert "row 2: ETHNICITY_DESC must be a number or a word of" in problems.found[0]
    row = finding()
    del row["ETHNICITY_DESC"]
    write_tables(tmp_path, [row])
    with pytest.raises(TableError, match="columns must have RACE_DESC, got empi_anon"):
        read_contents(tmp_path, TASKS, race=True)


def test_reduced_tables_do_and_the_full_one_goes_first(tmp_path):
    lacking = ("bside", "age_at_study", "ETHNICITY_DESC", "massshape")
    row = {name: cell for name, cell in finding().items() if name not in lacking}
    reduced = CLINICAL.replace(".csv", "_reduced.csv")
    write_rows(tmp_path / reduced, [row])
    small = {n: c for n, c in image().items() if n not in ("BreastImplantPresent", "ROI_coords")}
    write_rows(tmp_path / METADATA.replace(".csv", "_reduced.csv"), [small])
    assert labels(tmp_path)["L"] == {"malignant": 0, "birads": 0, "density": 1}
    write_tables(tmp_path, [finding(side="L", path_severity=0)], folder="")
    assert labels(tmp_path)["L"]["malignant"] == 1
    options = {"clinical": reduced, "metadata": METADATA}
    assert labels(tmp_path, **options)["L"]["malignant"] == 0


def test_an_absent_table_column_task_or_option_is_an_error(tmp_path):
    with pytest.raises(TableError, match=r"must hold EMBED_OpenData_clinical\.csv or .*_reduced"):
        read_contents(tmp_path, TASKS)
    with pytest.raises(TableError, match=r"must hold mine\.csv, .*metadata=FILE"):
        read_contents(write_tables(tmp_path), TASKS, metadata="mine.csv")
    row = finding()
    del row["asses"]
    write_rows(tmp_path / "tables" / CLINICAL, [row])
    with pytest.raises(TableError, match="columns must have asses, got empi_anon, acc_anon, desc"):
        read_contents(tmp_path, TASKS)
    with pytest.raises(ValueError, match=r"tasks must be some of malignant, .*, got subtype"):
        read_contents(tmp_path, parse_tasks(["subtype:binary"]))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("image_types", ("2D", "ROI_SSC")),
        ("image_types", ()),
        ("exams", ("screen",)),
        ("negatives", ("N", "K")),
        ("severity_5", "benign"),
        ("rois", "yes"),
    ],
)
def test_an_unknown_word_of_an_option_is_an_error(tmp_path, option, value):
    with pytest.raises(ValueError, match=rf"source embed: {option} must be (one|some) of"):
        read_contents(tmp_path, TASKS, **{option: value})


@pytest.mark.parametrize(
    ("table", "cells", "message"),
    [
        (CLINICAL, {"empi_anon": ""}, "empi_anon must not be empty, got ''"),
        (CLINICAL, {"acc_anon": "4.93227E+15"}, "acc_anon must have all its digits"),
        (CLINICAL, {"side": "left"}, "side must be one of L, R, B, got 'left'"),
        (CLINICAL, {"asses": "0"}, "asses must be one of A, N, B, P, S, M, K, X, got '0'"),
        (CLINICAL, {"tissueden": 6}, "tissueden must be a whole number from 1 to 5, got '6'"),
        (CLINICAL, {"path_severity": 7}, "path_severity must be a whole number from 0 to 6"),
        (CLINICAL, {"bside": "U"}, "bside must be one of L, R, B, got 'U'"),
        (CLINICAL, {"age_at_study": "fifty"}, "age_at_study must be a number from 0 to 120"),
        (METADATA, {"empi_anon": "NA"}, "empi_anon must not be empty, got 'NA'"),
        (METADATA, {"acc_anon": ""}, "acc_anon must not be empty"),
        (METADATA, {"anon_dicom_path": ""}, "anon_dicom_path must not be empty"),
        (METADATA, {"anon_dicom_path": "/mnt/x.dcm"}, "anon_dicom_path must lie in /mnt/NAS2/mam"),
        (METADATA, {"anon_dicom_path": "../x.dcm"}, "anon_dicom_path must stay below the root"),
        (METADATA, {"ImageLateralityFinal": "B"}, "ImageLateralityFinal must be one of L, R"),
        (METADATA, {"FinalImageType": "4D"}, "FinalImageType must be one of 2D, cview, 3D, ROI_S"),
        (METADATA, {"FinalImageType": ""}, "FinalImageType must not be empty"),
        (METADATA, {"spot_mag": 2}, "spot_mag must be a whole number from 0 to 1, got '2'"),
        (METADATA, {"BreastImplantPresent": "maybe"}, "BreastImplantPresent must be one of YES"),
        (METADATA, {"ROI_coords": "here"}, "ROI_coords must be a list of [ymin, xmin, ymax, xmax]"),
    ],
)
def test_a_row_that_is_not_understood_is_refused_by_its_number(tmp_path, table, cells, message):
    extra = finding(acc_anon="78") if table == CLINICAL else image(number=1)
    write_tables(
        tmp_path,
        [finding(), *([extra | cells] if table == CLINICAL else [])],
        [image(), *([extra | cells] if table == METADATA else [])],
    )
    with pytest.raises(TableError) as error:
        list(read_records(tmp_path, TASKS, rois="dicom"))
    assert f"{table}: 1 bad cells\n  row 3: {message}" in str(error.value)
    found = count_source("embed", tmp_path, DatasetOptions(source_options={"rois": "dicom"}))
    assert (found.exit_code, found.counts["images"]) == (1, 1)
    assert found.counts["refused"][0].startswith(f"{table}: row 3: {message.split(' must ')[0]}")


def test_marks_are_findings_only_when_it_is_said_which_pixels_they_are_of(tmp_path, caplog):
    rows = [image("R", number=i, ROI_coords="[[5, 10, 50, 50]]") for i in range(2)]
    rows[1]["FinalImageType"] = "3D"
    write_tables(tmp_path, images=rows)
    options = {"image_types": ("2D", "3D")}
    file = tmp_path / read_contents(tmp_path, TASKS).records[0].img_path
    file.parent.mkdir(parents=True)
    write_dicom(file, draw_breast(), ImageLaterality="R", ViewPosition="CC")
    for rois, boxes in {"none": [], "dicom": [(10, 5, 50, 50)], "png": [(150, 5, 190, 50)]}.items():
        flat, volume = read_records(tmp_path, TASKS, rois=rois, **options)
        assert ([f.box for f in flat.findings], volume.findings) == (boxes, ())
        facts = read_contents(tmp_path, TASKS, rois=rois, **options).facts
        assert facts["images_with_marks"] == 2
        assert ("marks on images, see option rois" in facts["left_out"]) == (rois == "none")
    assert caplog.text.count("marks on images, see option rois, left out: 2") == 1
    file.write_bytes(b"damaged")  # Is rejected later: no box is needed.
    assert [r.findings for r in read_records(tmp_path, TASKS, rois="png")] == [()]


def test_a_dry_run_counts_and_touches_no_image(tmp_path):
    rows = [finding(side="L", asses="S", path_severity=0), finding(side="R", numfind=2)]
    rows.append(finding(acc_anon="78", asses="A", desc=DIAGNOSTIC))
    images = [image(side, view) for side in "LR" for view in ("CC", "MLO")]
    images.append(image(exam="78", number=1))
    write_tables(tmp_path, rows, images)
    options = DatasetOptions(tasks=["malignant:binary"], source_options={"race": "true"})
    found = count_source("embed", tmp_path, options)
    counts = found.counts
    assert (found.exit_code, counts["level"]) == (0, Level.BREAST)
    assert [counts[name] for name in ("rows", "images", "exams", "patients")] == [8, 5, 2, 1]
    assert counts["labels"]["malignant"] == {"0": 2, "1": 2, "missing": 1}
    assert counts["labels_by_breast"]["malignant"] == {"0": 1, "1": 1, "missing": 1}
    assert counts["rows_by_table"] == {"clinical": 3, "metadata": 5}
    assert counts["exams_by_kind"] == {"screening": 1, "diagnostic": 1}


def test_images_are_prepared_and_nothing_that_identifies_reaches_the_annotations(tmp_path):
    root = write_tables(
        tmp_path / "embed",
        [finding(side="L", asses="S", path_severity=1), finding(side="R", numfind=2)],
        [image("L"), image("R", ROI_coords="[[100, 20, 140, 60]]"), image("R", "MLO")],
    )
    for record in read_contents(root, TASKS).records[:2]:
        (root / record.img_path).parent.mkdir(parents=True, exist_ok=True)
        tags = {"PatientID": PATIENT, "ViewPosition": "CC", "ImageLaterality": record.laterality}
        # The chest wall of all of them lies on the left.
        write_dicom(root / record.img_path, draw_breast(), PatientOrientation=["A", "R"], **tags)
    options = DatasetOptions(source_options={"rois": "png"})
    summary = prepare_dataset("embed", tmp_path / "out", root, options)
    assert summary.counts["images"] == 2
    assert [path[-11:] for path in summary.rejected] == ["R.MLO.0.dcm"]
    annotations = read_annotations(tmp_path / "out" / "annotations" / "all.json")
    assert annotations.level is Level.BREAST
    left, right = sorted(annotations.records, key=lambda record: str(record.laterality))
    assert left.laterality is Laterality.LEFT
    assert left.gt_label == {"malignant": 1, "density": 1, "birads": 3}
    assert (right.gt_label["malignant"], right.image_kind) == (0, ImageKind.MAMMOGRAM)
    start = zip(right.findings[0].box[:2], right.geometry.crop_box[:2], strict=True)
    assert [box + crop for box, crop in start] == pytest.approx([20, 100])
    text = re.sub(
        "[pei][0-9a-f]{16}",
        "pseudonym",
        json.dumps([record.to_json() for record in annotations.records]),
    )
    assert not any(secret in text for secret in (PATIENT, EXAM, "2015", "52.0", "1.2.826"))


def test_the_identifiers_are_no_public_ones_as_the_data_are_handed_out_on_request():
    converter = find_converter("embed")
    assert not converter.is_public
    told = converter.told_options({"prefix": "/home/me", "images": "a", "exams": "screening"})
    assert told == {"exams": "screening"}
