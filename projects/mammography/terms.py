"""Words of mammography, spelled once: every other module takes them from here."""

from enum import StrEnum


class Laterality(StrEnum):
    """Side of the breast, DICOM Image Laterality (0020,0062)."""

    LEFT = "L"
    RIGHT = "R"

    @property
    def other(self) -> "Laterality":
        """The contralateral side."""
        return Laterality.RIGHT if self is Laterality.LEFT else Laterality.LEFT


class ViewPosition(StrEnum):
    """Projection, DICOM View Position (0018,5101)."""

    CC = "CC"
    MLO = "MLO"
    ML = "ML"
    LM = "LM"
    LMO = "LMO"
    XCCL = "XCCL"
    XCCM = "XCCM"
    FB = "FB"
    SIO = "SIO"
    ISO = "ISO"


class ImageKind(StrEnum):
    """How a two-dimensional image came about."""

    MAMMOGRAM = "mammogram"  # One exposure, digital or on film.
    SYNTHETIC = "synthetic"  # Computed from tomosynthesis (C-View, V-Preview, Insight 2D).
    TOMOSYNTHESIS = "tomosynthesis"  # A slice of a reconstructed volume, or its projection.


class ViewModifier(StrEnum):
    """What changes a view, the part of DICOM CID 4015 that changes what a model sees."""

    MAGNIFICATION = "magnification"
    SPOT_COMPRESSION = "spot compression"
    IMPLANT_DISPLACED = "implant displaced"


class Level(StrEnum):
    """What one row of labels or predictions speaks about, from small to large."""

    PATCH = "patch"
    IMAGE = "image"
    BREAST = "breast"
    EXAM = "exam"
    PATIENT = "patient"


class Split(StrEnum):
    """Part of a study that a patient belongs to; no patient is in two."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class TaskKind(StrEnum):
    """What sort of outcome a task predicts."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    ORDINAL = "ordinal"
    REGRESSION = "regression"
