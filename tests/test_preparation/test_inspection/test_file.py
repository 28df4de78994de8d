import json
import os

import numpy as np
import pytest
from pydicom import uid

from dicom_files import draw_breast, make_dicom, write_dicom
from mammography.functional.png16 import encode_png16
from mammography.preparation.image import prepare_image
from mammography.preparation.inspection.file import FIELDS, Inspector, caption
from mammography.preparation.options import PreparationOptions
from mammography.preparation.rejection import RejectedImage
from mammography.terms import Laterality
from table_study import IDENTITY

IMAGE = draw_breast()
TAGS = {
    "ImageLaterality": "L", "ViewPosition": "MLO", "Manufacturer": "Maker Inc.",
    "ManufacturerModelName": "Model 3000", "ImagerPixelSpacing": [0.07, 0.08],
    "PresentationIntentType": "FOR PRESENTATION", "WindowCenter": 1500, "WindowWidth": 3000,
}  # fmt: skip


def inspect(path, **options):
    return Inspector(PreparationOptions(**options))((1, path))


def test_a_line_tells_all_that_the_header_says_and_what_is_done(tmp_path):
    line = inspect(write_dicom(tmp_path / "a.dcm", IMAGE, bits=12, **TAGS))
    box = line.pop("crop_box")
    assert line.pop("prepared_size_hw") == [box[3] - box[1], box[2] - box[0]]
    assert line == {
        "path": str(tmp_path / "a.dcm"), "rejected": None, "doubts": [], "file_format": "DICOM",
        "manufacturer": "Maker Inc.", "model": "Model 3000",
        "transfer_syntax": "Explicit VR Little Endian", "photometric": "MONOCHROME2",
        "bits_allocated": 16, "bits_stored": 12, "presentation_intent": "FOR PRESENTATION",
        "image_kind": "mammogram", "image_kind_source": None, "implant": None, "reduced": 0,
        "dense_values": "high", "dense_values_source": "PhotometricInterpretation",
        "raw_values": None, "frame_taken": 0, "overlays": 0, "burned_in_annotation": None,
        "lossy": False, "rows": 300, "columns": 200, "frames": 1,
        "pixel_spacing_mm": (0.07, 0.08), "spacing_source": "ImagerPixelSpacing",
        "voi": {"kind": "window", "index": 0, "of": 1, "function": "LINEAR",
                "center": 1500, "width": 3000},
        "laterality": "L", "laterality_source": "ImageLaterality",
        "view_position": "MLO", "view_source": "ViewPosition", "view_modifiers": [],
        "chest_wall": "left", "flipped": False, "prepared_spacing_mm": (0.07, 0.08),
        "preview": None,
    }  # fmt: skip
    assert {*line, "crop_box", "prepared_size_hw"} == set(FIELDS)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"voi": "stretch", "flip_to": Laterality.RIGHT},
        {"size_hw": (100, 90), "voi": "none"},
        {"spacing_mm": 0.16, "window_index": 1},
    ],
)
def test_a_line_says_what_the_preparation_does_with_the_same_options(tmp_path, options):
    tags = TAGS | {"WindowCenter": [1500, 900], "WindowWidth": [3000, 100], "Modality": "CR"}
    path = write_dicom(tmp_path / "a.dcm", IMAGE, bits=12, **tags)
    line = inspect(path, **options)
    prepared = prepare_image(path, options=PreparationOptions(**options))
    assert {name: line[name] for name in prepared.facts} == prepared.facts
    assert line["doubts"]
    assert line["crop_box"] == prepared.geometry.crop_box
    assert line["flipped"] == prepared.geometry.flipped
    assert tuple(line["prepared_size_hw"]) == prepared.pixels.shape
    assert line["prepared_spacing_mm"] == prepared.pixel_spacing_mm
    assert line["pixel_spacing_mm"] == (0.07, 0.08)


BAD_FILES = {
    "empty": b"",
    "text": b"patient,laterality\n1,L\n",
    "preamble only": bytes(128) + b"DICM",
    "header cut": make_dicom(IMAGE, **TAGS)[:300],
    "pixels cut": make_dicom(IMAGE, **TAGS)[:-1000],
    "no pixels": make_dicom(IMAGE, PixelData=None, **TAGS),
    "frames": make_dicom(IMAGE, NumberOfFrames=5, **TAGS),
    "colours": make_dicom(IMAGE, PhotometricInterpretation="RGB", **TAGS),
    "no photometric": make_dicom(IMAGE, PhotometricInterpretation=None, **TAGS),
    "constant": make_dicom(np.full((300, 200), 7, np.uint16), **TAGS),
    "small": make_dicom(IMAGE[:9, :9], **TAGS),
    "no side": make_dicom(IMAGE, **TAGS | {"ImageLaterality": "X"}),
    "corrupt stream": make_dicom(IMAGE, uid.JPEGLSLossless, stream=b"no stream\xff\xd9", **TAGS),
    "unknown syntax": make_dicom(IMAGE, uid.MPEG2MPML, stream=b"12", **TAGS),
    "cut PNG": encode_png16(IMAGE)[:-9],
    "png of noise": b"\x89PNG" + bytes(range(256)),
    "broken table": make_dicom(IMAGE, VOILUTSequence=[], **TAGS)[:-7],
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("preview", [False, True])
def test_a_bad_file_has_the_reason_of_the_preparation(tmp_path, name, preview):
    path = tmp_path / "file"
    path.write_bytes(BAD_FILES[name])
    folder = tmp_path / "preview" if preview else None
    line = Inspector(PreparationOptions(), folder)((1, path))
    with pytest.raises(RejectedImage) as reason:
        prepare_image(path)
    assert line["rejected"] == str(reason.value)
    assert set(line) == set(FIELDS)
    assert json.loads(json.dumps(line))
    assert line["crop_box"] is None
    assert (line["preview"] is None) == (not preview or not (folder / "00001.png").exists())


@pytest.mark.parametrize("name", ["pixels cut", "frames", "no side", "corrupt stream", "constant"])
def test_the_header_of_a_rejected_file_is_told(tmp_path, name):
    path = tmp_path / "file"
    path.write_bytes(BAD_FILES[name])
    line = inspect(path)
    assert (line["model"], line["view_position"], line["rows"]) == ("Model 3000", "MLO", 300)
    assert line["bits_allocated"] == 16
    assert line["voi"]["kind"] == "window"
    assert line["frames"] == (5 if name == "frames" else 1)


@pytest.mark.timeout(20)
def test_what_is_no_file_has_a_reason(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert inspect(tmp_path / "pipe")["rejected"] == "not a file"
    assert inspect(tmp_path / "absent")["rejected"] == "file does not exist"


def test_damaged_bytes_never_raise(tmp_path):
    whole = make_dicom(IMAGE[::3, ::3], uid.JPEGLSLossless, **TAGS)
    rng = np.random.default_rng(0)
    path = tmp_path / "file"
    rejected = 0
    for _ in range(150):
        data = bytearray(whole)
        for place in rng.integers(130, len(data), 4):
            data[place] = rng.integers(256)
        path.write_bytes(data[: rng.integers(100, len(data) + 1)])
        rejected += inspect(path)["rejected"] is not None
    assert rejected > 100


def test_an_image_without_header_is_inspected_as_well(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(encode_png16(IMAGE))
    line = inspect(path, require_laterality=False)
    assert (line["file_format"], line["bits_stored"], line["rows"]) == ("PNG", 16, 300)
    assert line["voi"]["kind"] == "stretch"
    assert line["laterality"] is None
    assert line["crop_box"] is not None


@pytest.mark.parametrize("tags", [{}, {"ImageLaterality": ""}, {"NumberOfFrames": 3}])
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_nothing_tells_who_the_patient_is(tmp_path, capfd, caplog, tags):
    planted = {
        "Manufacturer": "PLANTED^Maker", "ManufacturerModelName": "1.2.826.0.1.3680043.9.9999.5",
        "PresentationIntentType": "PLANTED",
        "ViewPosition": "PLANTED",
    }  # fmt: skip
    path = write_dicom(tmp_path / "a.dcm", IMAGE, **TAGS | IDENTITY | planted | tags)
    line = Inspector(PreparationOptions(), tmp_path / "out")((1, path))
    assert (line["rejected"] is None) == (tags == {})
    printed = capfd.readouterr()
    text = json.dumps(line) + printed.out + printed.err + caplog.text
    picture = b"".join(p.read_bytes() for p in (tmp_path / "out").glob("*"))
    for secret in (*IDENTITY.values(), "PLANTED", "1.2.826"):
        assert secret not in text.replace(str(path), "")
        assert secret.encode() not in picture


def test_a_caption_says_what_is_odd(tmp_path):
    line = inspect(write_dicom(tmp_path / "a.dcm", IMAGE, **TAGS | {"Modality": "CR"}))
    assert caption(7, line) == [
        "7   L MLO   Maker Inc. / Model 3000",
        "window, index 0, of 1, LINEAR, center 1500, width 3000",
        "modality is not MG",
    ]
    line = inspect(tmp_path / "absent")
    assert caption(8, line) == ["8   ? ?", "rejected: file does not exist"]
