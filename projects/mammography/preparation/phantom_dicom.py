"""Write synthetic mammograms as DICOM files, with an invented person in every header."""

import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    PYDICOM_IMPLEMENTATION_UID,
    UID,
    DigitalMammographyXRayImageStorageForPresentation,
    JPEGLosslessSV1,
    RLELossless,
)

from mammography.functional.phantom_vendor import VendorLook, display_header
from mammography.terms import Laterality, ViewPosition

_GIVEN = ("ADA", "BRITA", "CLARA", "DORIS", "EDITH", "FLORA", "GRETA", "HEDDA", "IRMA", "JUNO")
_FAMILY = ("ALDER", "BIRCH", "CEDAR", "DOGWOOD", "ELM", "FIR", "GINKGO", "HAZEL", "IVY", "JUNIPER")


@dataclass(frozen=True)
class PhantomPerson:
    """An invented person and her visit: what de-identification has to remove.

    Attributes:
        patient_id: Patient ID.
        name: Patient's Name.
        birth_date: Patient's Birth Date.
        study_date: Day of the visit.
        accession_number: Number of the order.
        study_uid: Study Instance UID.
    """

    patient_id: str
    name: str
    birth_date: date
    study_date: date
    accession_number: str
    study_uid: str


def invent_patient_id(seed: int, number: int) -> str:
    """Invent the Patient ID of patient ``number`` of a study."""
    return f"PH{seed:03d}{number:06d}"


def invent_person(seed: int, number: int, age_years: float) -> PhantomPerson:
    """Invent patient ``number`` of a study; the same numbers give the same person.

    Args:
        seed: Seed of the study.
        number: From 0.
        age_years: Her age on the day of the visit, within a year.
    """
    rng = np.random.default_rng([seed, 5, number])
    study_date = date(2015, 1, 1) + timedelta(days=int(rng.integers(3000)))
    days_old = int((age_years + rng.random() * 0.9) * 365.25) + 1
    patient_id = invent_patient_id(seed, number)
    return PhantomPerson(
        patient_id=patient_id,
        name=f"{rng.choice(_FAMILY)}{number}^{rng.choice(_GIVEN)}",
        birth_date=study_date - timedelta(days=days_old),
        study_date=study_date,
        accession_number=f"ACC{rng.integers(10**9, 10**10)}",
        study_uid=_uid("study", patient_id),
    )


def _uid(*parts: str) -> str:
    """Return a UID that follows from its parts, in the form of PS3.5 B.2."""
    return f"2.25.{uuid5(NAMESPACE_OID, '/'.join(('mammography phantom', *parts))).int}"


def write_phantom_dicom(
    path: Path,
    pixels: NDArray[np.uint16],
    look: VendorLook,
    person: PhantomPerson,
    laterality: Laterality,
    view: ViewPosition,
    pixel_spacing_mm: float,
) -> None:
    """Write one image as Digital Mammography X-Ray Image, whole or not at all.

    The bytes depend on the arguments alone, not on the time or the machine.

    Args:
        path: File to write; its folder is made.
        pixels: ``(H, W)`` stored values.
        look: Machine: encoding, window, polarity, bits.
        person: Who is in the header.
        laterality: Side of the breast.
        view: CC or MLO.
        pixel_spacing_mm: Size of a pixel at the detector.

    Raises:
        ValueError: If no encoder is known for the transfer syntax.
    """
    dataset = Dataset()
    _fill_patient(dataset, person)
    _fill_equipment(dataset, look, person)
    _fill_view(dataset, laterality, view, pixel_spacing_mm)
    instance = _uid("image", person.patient_id, laterality, view)
    dataset.SOPClassUID = DigitalMammographyXRayImageStorageForPresentation
    dataset.SOPInstanceUID = instance
    dataset.SeriesInstanceUID = _uid("series", person.patient_id, laterality, view)
    _fill_display(dataset, look)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = instance
    dataset.file_meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    _fill_pixels(dataset, pixels, look)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    dcmwrite(unfinished, dataset, enforce_file_format=True)
    unfinished.replace(path)


def _fill_patient(dataset: Dataset, person: PhantomPerson) -> None:
    day = person.study_date.strftime("%Y%m%d")
    dataset.PatientName = person.name
    dataset.PatientID = person.patient_id
    dataset.PatientBirthDate = person.birth_date.strftime("%Y%m%d")
    dataset.PatientSex = "F"
    dataset.PatientAge = f"{(person.study_date - person.birth_date).days // 365.25:03.0f}Y"
    dataset.PatientIdentityRemoved = "NO"
    dataset.StudyInstanceUID = person.study_uid
    dataset.StudyID = person.accession_number[-6:]
    dataset.AccessionNumber = person.accession_number
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = day
    dataset.StudyTime = dataset.AcquisitionTime = dataset.ContentTime = "101500"
    dataset.ReferringPhysicianName = "WILLOW^DR"
    dataset.StudyDescription = f"Screening of {person.name.split('^')[0].title()}"


def _fill_equipment(dataset: Dataset, look: VendorLook, person: PhantomPerson) -> None:
    dataset.Modality = "MG"
    dataset.Manufacturer = look.manufacturer
    dataset.ManufacturerModelName = f"{look.manufacturer.split()[0]} Phantom"
    dataset.DeviceSerialNumber = "0001"
    dataset.SoftwareVersions = "1"
    dataset.InstitutionName = "Arboretum Hospital"
    dataset.OperatorsName = "ROWAN^MX"
    dataset.PresentationIntentType = "FOR PRESENTATION"
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.BurnedInAnnotation = "YES"
    dataset.ImageComments = f"Phantom of {person.patient_id}, no patient"
    dataset.SeriesNumber = 1


def _fill_view(
    dataset: Dataset, laterality: Laterality, view: ViewPosition, pixel_spacing_mm: float
) -> None:
    codes = {
        ViewPosition.CC: ("399162004", "cranio-caudal"),
        ViewPosition.MLO: ("399368009", "medio-lateral oblique"),
    }
    code = Dataset()
    code.CodeValue, code.CodeMeaning = codes[view]
    code.CodingSchemeDesignator = "SCT"
    code.ViewModifierCodeSequence = []
    dataset.ViewCodeSequence = [code]
    dataset.ViewPosition = view.value
    dataset.ImageLaterality = laterality.value
    dataset.BodyPartExamined = "BREAST"
    dataset.OrganExposed = "BREAST"
    # Rows run away from the chest wall or to it, columns to the middle of the body.
    is_left = laterality is Laterality.LEFT
    middle = "R" if is_left else "L"
    down = middle if view is ViewPosition.CC else "F" + middle
    dataset.PatientOrientation = ["A" if is_left else "P", down]
    dataset.PositionerType = "MAMMOGRAPHIC"
    dataset.ImagerPixelSpacing = [round(pixel_spacing_mm, 6)] * 2
    dataset.PixelSpacing = dataset.ImagerPixelSpacing
    dataset.InstanceNumber = 1


def _fill_display(dataset: Dataset, look: VendorLook) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = look.rescale
    dataset.RescaleType = "US"
    dataset.PixelIntensityRelationship = "LOG"
    dataset.PixelIntensityRelationshipSign = -1 if look.monochrome1 else 1
    dataset.PresentationLUTShape = "INVERSE" if look.monochrome1 else "IDENTITY"
    header = display_header(look)
    lut = Dataset()
    for keyword, value in header.items():
        setattr(lut if keyword.startswith("LUT") else dataset, keyword, value)
    if lut:
        lut["LUTDescriptor"].VR, lut["LUTData"].VR = "US", "OW"
        lut.LUTExplanation = "NORMAL"
        dataset.VOILUTSequence = [lut]


def _fill_pixels(dataset: Dataset, pixels: NDArray[np.uint16], look: VendorLook) -> None:
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME1" if look.monochrome1 else "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = look.bits_stored
    dataset.HighBit = look.bits_stored - 1
    dataset.PixelRepresentation = 0
    dataset.LossyImageCompression = "00"
    syntax = UID(look.transfer_syntax)
    dataset.file_meta.TransferSyntaxUID = syntax
    if not syntax.is_compressed or syntax.is_deflated:
        order = "<u2" if syntax.is_little_endian else ">u2"
        dataset.PixelData = pixels.astype(order).tobytes()
        dataset["PixelData"].VR = "OW"
    elif syntax == RLELossless:
        dataset.compress(syntax, pixels, encoding_plugin="pydicom", generate_instance_uid=False)
    elif syntax == JPEGLosslessSV1:
        stream = imagecodecs.jpeg8_encode(
            pixels, lossless=True, predictor=1, bitspersample=look.bits_stored
        )
        dataset.PixelData = encapsulate([stream])
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    else:
        raise ValueError(
            "write_phantom_dicom: transfer_syntax must be uncompressed, RLE (1.2.840.10008.1.2.5) "
            f"or JPEG lossless (1.2.840.10008.1.2.4.70), got {syntax} ({syntax.name})"
        )
