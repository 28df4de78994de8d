"""What a source holds, checked before the first image is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mammography.preparation.converters import Converter, SourceError
from mammography.preparation.image import PreparationOptions
from mammography.preparation.jobs import Job
from mammography.preparation.prepared_record import IMAGE_FOLDER
from mammography.preparation.pseudonym import Pseudonyms, public_salt, read_salt
from mammography.preparation.source_record import masks_of
from mammography.preparation.splits import DEFAULT_FRACTIONS, split_patients
from mammography.structures.annotation import ImageRecord
from mammography.structures.task import Task
from mammography.terms import Split

PRIVATE_FOLDER = "private"


@dataclass(frozen=True)
class DatasetOptions:
    """How to prepare a source.

    Attributes:
        tasks: Specs such as ``malignant:binary``; none takes those of the source.
        source_options: Options of the converter, as text.
        preparation: How the pixels are prepared.
        fractions: Share of patients per split, unless the source gives splits.
        seed: Seed of the splits.
        limit: Only the first images, by path.
        salt_file: Secret of the pseudonyms; ``None`` is ``private/salt`` of the output.
    """

    tasks: Sequence[str] = ()
    source_options: Mapping[str, str] = field(default_factory=dict)
    preparation: PreparationOptions = field(default_factory=PreparationOptions)
    fractions: Mapping[Split, float] = field(default_factory=lambda: DEFAULT_FRACTIONS)
    seed: int = 0
    limit: int | None = None
    salt_file: Path | None = None

    def __post_init__(self) -> None:
        """Check the limit."""
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"--limit must be at least 1, got {self.limit}")


@dataclass(frozen=True)
class Study:
    """What is to be done: all that must be right before the first image is read.

    Attributes:
        converter: Of the source.
        root: Where the source lies.
        tasks: Outcomes by name.
        records: Image pseudonym to what the source says.
        splits: Patient, as the source names it, to split.
        has_own_splits: Whether the source gives them.
        names: Pseudonyms.
    """

    converter: Converter
    root: Path
    tasks: dict[str, Task]
    records: dict[str, ImageRecord]
    splits: dict[str, Split]
    has_own_splits: bool
    names: Pseudonyms

    @property
    def folder(self) -> Path:
        """Folder that the paths of the records start from."""
        return _folder(self.root)

    def split_of(self, record: ImageRecord) -> Split:
        """Return the split of the patient of an image."""
        return self.splits[str(record.patient_id)]

    def jobs(self) -> list[Job]:
        """Return what to do for each image."""
        return [
            Job(
                image_id,
                self.folder / record.img_path,
                record.laterality,
                record.view_position,
                tuple(tuple(self.folder / path for path in m.paths) for m in masks_of(record)),
                record.view_modifiers,
                record.pixel_spacing_mm,
            )
            for image_id, record in self.records.items()
        ]


def read_study(
    converter: Converter, root: Path | None, out: Path, options: DatasetOptions
) -> Study:
    """Read a source, split its patients and name its images.

    Raises:
        ValueError: If the source, a task or a split is not as it must be.
        FileNotFoundError: If the source is not there.
    """
    root = converter.find_root(root)
    tasks = converter.find_tasks(options.tasks, root, options.source_options)
    rows = converter.read_records(root, tasks, options.source_options)
    # By path: the order of the rows must change nothing, not even what a limit keeps.
    records = sorted(rows, key=lambda record: record.img_path)[: options.limit]
    if not records:
        raise SourceError(f"source {converter.name}: {root} must hold images, got none")
    if _folder(root).resolve() in (out.resolve(), (out / IMAGE_FOLDER).resolve()):
        raise SourceError(f"--out must be another folder than that of the source, got {out}")
    anonymous = [record.img_path for record in records if not record.patient_id]
    if anonymous:
        raise SourceError(f"source {converter.name}: {anonymous[0]} must have a patient_id")
    splits, has_own_splits = split_patients(records, tasks, options.fractions, options.seed)
    names = Pseudonyms(_salt(converter, options.salt_file, out))
    by_id = {names.image(record.img_path): record for record in records}
    if len(by_id) != len(records):
        raise SourceError(f"source {converter.name}: every image must have a path of its own")
    return Study(converter, root, tasks, by_id, splits, has_own_splits, names)


def _folder(root: Path) -> Path:
    return root if root.is_dir() else root.parent


def _salt(converter: Converter, salt_file: Path | None, out: Path) -> bytes:
    if converter.is_public and salt_file is None:
        return public_salt(converter.name)
    return read_salt(salt_file or out / PRIVATE_FOLDER / "salt")
