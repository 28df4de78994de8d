"""Whatever a spreadsheet or pandas made of a table, a source reads the same from it."""

from functools import partial
from hashlib import md5

import pandas as pd
import pytest

from mammography.preparation.dry_run import count_source
from mammography.preparation.study import DatasetOptions

MD5 = [md5(name.encode(), usedforsecurity=False).hexdigest() for name in ("exam", "a", "b")]
SIDES = {"laterality": ["L", "R"], "view_position": ["CC", "MLO"]}
VINDR = SIDES | {
    "study_id": [MD5[0]] * 2, "series_id": [MD5[0]] * 2, "image_id": MD5[1:],
    "height": [300, 300], "width": [200, 200], "breast_birads": ["BI-RADS 1", "BI-RADS 4"],
    "breast_density": ["DENSITY C", "DENSITY D"], "split": ["training", "training"],
}  # fmt: skip

# By source: options, and per table its columns, with a gap where the real ones have some.
TABLES = {
    "rsna_2022": ({}, {"train": {
        "site_id": [1, 2], "patient_id": [10006, 10007], "image_id": [462822612, 1459541791],
        "laterality": ["L", "R"], "view": ["CC", "MLO"], "age": [61.0, None], "cancer": [0, 1],
        "biopsy": [0, 1], "invasive": [0, 1], "BIRADS": [None, 0.0], "implant": [0, 0],
        "density": ["B", None], "machine_id": [29, 21],
        "difficult_negative_case": [False, True],
    }}),
    "vindr_mammo": ({}, {
        "breast-level_annotations": VINDR,
        "finding_annotations": VINDR | {
            "finding_categories": ["['No Finding']", "['Mass', 'Skin Retraction']"],
            "finding_birads": [None, "BI-RADS 4"],
            "xmin": [None, 10.5], "ymin": [None, 20], "xmax": [None, 30], "ymax": [None, 40.25],
        },
        "metadata": {"SOP Instance UID": MD5[1:], "Patient's Age": ["053Y", None],
                     "Manufacturer": ["SIEMENS", "IMS s.r.l."]},
    }),
    "embed": ({"clinical": "clinical", "metadata": "metadata"}, {
        "clinical": {
            "empi_anon": [66685715, 66685715], "acc_anon": [4932273561626049] * 2,
            "desc": ["MG Screening Bilateral"] * 2, "side": ["L", None], "asses": ["S", "N"],
            "tissueden": [2.0, None], "path_severity": [0.0, None], "bside": ["L", None],
            "age_at_study": [52.031185, 52.031185],
        },
        "metadata": {
            "empi_anon": [66685715, 66685715], "acc_anon": [4932273561626049] * 2,
            "anon_dicom_path": ["cohort_1/1/a.dcm", "cohort_1/1/b.dcm"],
            "ImageLateralityFinal": ["L", "R"], "ViewPosition": ["CC", None],
            "FinalImageType": ["2D", "2D"], "spot_mag": [None, 1.0], "ROI_coords": ["()", "()"],
        },
    }),
    "csaw_cc": ({}, {"CSAW-CC_breast_cancer_screening_data": {
        "anon_patientid": [1106, 7], "exam_year": [2012, 2013], "x_age": [1, 2],
        "anon_filename": ["01106_20990909_L_CC_1.dcm", "00007_20990909_R_MLO_1.dcm"],
        "x_case": [1, 0], "x_cancer_laterality": ["Left", None], "x_type": [2.0, None],
        "x_lymphnode_met": [0.0, None], "rad_timing": [1.0, None], "rad_recall": [1.0, None],
        "imagelaterality": ["Left", "Right"], "viewposition": ["CC", "MLO"],
        "libra_breastarea": [120.5, 90], "libra_densearea": [24.1, 1e-05],
        "libra_percentdensity": [20, None],
    }}),
    "inbreast": ({}, {"INbreast": {
        "Patient ID": ["removed"] * 2, "Patient age": ["removed"] * 2, "Laterality": ["R", "L"],
        "View": ["CC", "FB"], "Acquisition date": [201001, 200802],
        "File Name": [22678622, 22678646], "ACR": [4.0, None], "Bi-Rads": ["1", "4a"],
    }}),
    "dosremc": ({"patient_pattern": r"(\d+)_[LR]"}, {"train": {
        "BreastID": ["11_L", "11_R"], "FilePath": ["img/1.png", "img/2.png"],
        "OneHotLabel": ["[0, 1]", None], "ImageLaterality": ["L", "R"],
    }}),
    "mammography_ai": ({}, {"train": {
        "path_eq": ["c/7.png", "e/7.png"], "cancer": [1.0, None], "datasettype": ["csaw", "embed"],
        "patient_id": [7, 8], "tissueden": [None, 3.0],
    }}),
    "end2end": ({}, {"roi_mask_path": {
        "patient_id": ["P_00005", "P_00006"], "side": ["LEFT", "RIGHT"], "view": ["CC", "MLO"],
        "abn_num": [1, 2], "pathology": ["MALIGNANT", "BENIGN"], "type": ["calc", "mass"],
    }}),
}  # fmt: skip


def plain(frame, path):
    frame.to_csv(f"{path}.csv", index=False)


def text(frame, path, encoding="utf-8", end="\n", pad="", na=""):
    """Other columns in another order, the index, empty lines, and what is asked for."""
    frame = frame[frame.columns[::-1]].assign(remark='a, "b"\nc; d')
    cells = frame.map(lambda cell: na if pd.isna(cell) else f"{cell}{pad}")
    lines = cells.rename(columns=lambda name: f"{name}{pad}").to_csv(lineterminator=end)
    blank = f"{end}{',' * len(frame.columns)}{end}{end}"
    path.with_suffix(".csv").write_bytes(f"{lines}{blank}".encode(encoding))


def floats(frame, path):
    """Whole numbers as ``7.0``, as pandas has them beside a gap."""
    whole = [name for name in frame if pd.api.types.is_integer_dtype(frame[name])]
    frame.astype(dict.fromkeys(whole, float)).to_csv(f"{path}.csv", index=False)


def workbook(frame, path, index=False):
    frame.to_excel(f"{path}.xlsx", index=index)


FORMS = {
    "BOM and CRLF": partial(text, encoding="utf-8-sig", end="\r\n"),
    "spaces after cells": partial(text, pad="  "),
    "NA": partial(text, na="NA"),
    "nan": partial(text, na=" nan "),
    "numbers with a point": floats,
    "workbook": workbook,
    "workbook with an index": partial(workbook, index=True),
}


def counts(source, folder, write):
    options, tables = TABLES[source]
    folder.mkdir()
    for stem, columns in tables.items():
        write(pd.DataFrame(columns), folder / stem)
    files = {path.stem: path.name for path in folder.iterdir()}
    named = {name: files.get(value, value) for name, value in options.items()}
    found = count_source(source, folder, DatasetOptions(source_options=named))
    # Facts name the files.
    return {name: value for name, value in found.counts.items() if name != "rows_by_table"}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("source", TABLES)
def test_the_form_of_a_table_changes_nothing(tmp_path, source, form):
    expected = counts(source, tmp_path / "plain", plain)
    assert expected["refused"] == []
    assert expected["images"] == 2
    assert counts(source, tmp_path / "other", FORMS[form]) == expected
