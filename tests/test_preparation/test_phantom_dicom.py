from dataclasses import replace
from datetime import date

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.encaps import get_frame
from pydicom.pixels import apply_voi_lut

from mammography.functional.phantom_vendor import VENDORS, Voi
from mammography.preparation.phantom_dicom import invent_person
from phantoms import phantom_image, write_phantom_file

SYNTAXES = [
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.RLELossless,
    uid.JPEGLosslessSV1,
]


def pixels_of(dataset):
    """Decode; JPEG lossless by libjpeg-turbo, since pydicom needs a plugin for it."""
    if dataset.file_meta.TransferSyntaxUID == uid.JPEGLosslessSV1:
        return imagecodecs.jpeg8_decode(get_frame(dataset.PixelData, 0, number_of_frames=1))
    return dataset.pixel_array


@pytest.mark.parametrize("syntax", SYNTAXES, ids=lambda syntax: syntax.name)
@pytest.mark.parametrize("bits", [12, 14, 16])
def test_every_encoding_gives_the_drawn_pixels_back(tmp_path, syntax, bits):
    look = {"transfer_syntax": str(syntax), "bits_stored": bits, "noise": 0.02}
    drawn, _ = write_phantom_file(tmp_path / "x.dcm", look=look, size_hw=(128, 104))
    dataset = pydicom.dcmread(tmp_path / "x.dcm")
    assert dataset.file_meta.TransferSyntaxUID == syntax
    assert dataset.BitsStored == bits
    np.testing.assert_array_equal(pixels_of(dataset), drawn)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_vendor_file_opens_with_the_drawn_pixels(tmp_path, vendor):
    drawn, _ = write_phantom_file(tmp_path / "x.dcm", vendor, laterality="R", view="MLO")
    dataset = pydicom.dcmread(tmp_path / "x.dcm")
    np.testing.assert_array_equal(pixels_of(dataset), drawn)
    assert dataset.SOPClassUID.name.startswith("Digital Mammography X-Ray Image Storage")
    assert dataset.Modality == "MG"
    assert dataset.Manufacturer == VENDORS[vendor].manufacturer
    assert (dataset.ImageLaterality, dataset.ViewPosition) == ("R", "MLO")
    assert list(dataset.PatientOrientation) == ["P", "FL"]
    assert dataset.ImagerPixelSpacing[0] == pytest.approx(224 / 256)
    for element in dataset.iterall():
        element.value  # noqa: B018  every value must be one that its VR allows


def shown(dataset, voi):
    """Display 0 to 1, white dense, by pydicom and the rules of PS3.3 C.7.6.3.1.2."""
    values = apply_voi_lut(pixels_of(dataset), dataset).astype(float)
    largest = 65535 if voi is Voi.LUT else 2**dataset.BitsStored - 1
    inverted = dataset.PhotometricInterpretation == "MONOCHROME1"
    return 1 - values / largest if inverted else values / largest


@pytest.mark.parametrize("voi", Voi)
def test_inverting_monochrome1_restores_the_same_look(tmp_path, voi):
    images = []
    for inverted in (False, True):
        path = tmp_path / f"{inverted}.dcm"
        write_phantom_file(path, look={"voi": voi, "monochrome1": inverted})
        images.append(shown(pydicom.dcmread(path), voi))
    np.testing.assert_allclose(*images, atol=1e-4)


@pytest.mark.parametrize("voi", Voi)
def test_display_keeps_the_order_of_brightness(tmp_path, voi):
    look = {"voi": voi, "noise": 0.0, "blur_mm": 0.0}
    _, mask = write_phantom_file(tmp_path / "x.dcm", look=look)
    image = shown(pydicom.dcmread(tmp_path / "x.dcm"), voi)[mask]
    bright, _ = phantom_image()
    order = np.argsort(bright[mask])
    assert (np.diff(image[order]) > -2 / 4095).all()
    assert image.max() - image.min() > 0.3


def test_modality_lut_is_undone_by_its_header(tmp_path):
    look = {"rescale": (2.0, -100.0), "noise": 0.0}
    drawn, _ = write_phantom_file(tmp_path / "x.dcm", look=look)
    dataset = pydicom.dcmread(tmp_path / "x.dcm")
    plain = VENDORS["alpha"]
    low = dataset.WindowCenter - 0.5 - (dataset.WindowWidth - 2) / 2
    assert low == pytest.approx(2 * plain.signal_range[0] * plain.largest - 100, abs=1.5)
    assert (dataset.RescaleSlope, dataset.RescaleIntercept) == (2, -100)
    assert drawn.max() == 4095


def test_the_same_image_is_the_same_bytes(tmp_path):
    for name in "ab":
        write_phantom_file(tmp_path / f"{name}.dcm", "cobalt")
    assert (tmp_path / "a.dcm").read_bytes() == (tmp_path / "b.dcm").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.dcm", "b.dcm"]


def test_header_holds_an_invented_person_of_her_age(tmp_path):
    person = invent_person(seed=4, number=17, age_years=63.0)
    write_phantom_file(tmp_path / "x.dcm", person=person)
    dataset = pydicom.dcmread(tmp_path / "x.dcm")
    assert dataset.PatientName == person.name
    assert dataset.PatientID == "PH004000017"
    assert dataset.PatientAge == "063Y"
    assert date.fromisoformat(dataset.PatientBirthDate) == person.birth_date
    assert person.name.split("^")[0].title() in dataset.StudyDescription


def test_persons_of_two_seeds_or_numbers_share_no_identifier():
    persons = [invent_person(seed, number, 50) for seed in range(3) for number in range(200)]
    for name in ("patient_id", "study_uid", "accession_number"):
        assert len({getattr(person, name) for person in persons}) == len(persons)


def test_views_of_one_exam_share_the_study_and_nothing_else(tmp_path):
    headers = []
    for side in "LR":
        for view in ("CC", "MLO"):
            write_phantom_file(tmp_path / f"{side}{view}.dcm", laterality=side, view=view)
            headers.append(pydicom.dcmread(tmp_path / f"{side}{view}.dcm", stop_before_pixels=True))
    assert len({header.StudyInstanceUID for header in headers}) == 1
    assert len({header.SeriesInstanceUID for header in headers}) == 4
    assert len({header.SOPInstanceUID for header in headers}) == 4


def test_unknown_encoding_is_refused_by_name(tmp_path):
    look = {"transfer_syntax": str(uid.JPEG2000)}
    with pytest.raises(ValueError, match=r"transfer_syntax must be .* got 1.2.840.10008.1.2.4.91"):
        write_phantom_file(tmp_path / "x.dcm", look=look)
    assert not list(tmp_path.iterdir())


def test_bits_beyond_the_drawn_range_stay_empty(tmp_path):
    drawn, _ = write_phantom_file(tmp_path / "x.dcm", look={"bits_stored": 12})
    assert drawn.max() == replace(VENDORS["alpha"], bits_stored=12).largest == 4095
