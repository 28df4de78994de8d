"""What a study is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mammography.reports.domain_study.cells import Outcome

Source = tuple[str, ...]


@dataclass(frozen=True)
class Domain:
    """A hospital.

    Attributes:
        name: What it is called.
        data_root: Folder of its prepared data.
        files: Role (``train``, ``val``, ``test``, ``adapt``) to the settings of a data set
            that choose its images: at least ``ann_file``.
    """

    name: str
    data_root: str
    files: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Start:
    """Weights that another model of the study has learned.

    Attributes:
        model: Its name.
        source: What it was trained on; the same source if None.
        allow: Patterns of names that may stay unloaded, as of ``LoadPretrainedHook``.
    """

    model: str
    source: Source | None = None
    allow: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A way to train, or weights that were trained elsewhere.

    Attributes:
        name: What it is called.
        config: The config file.
        options: Changes of the config by dotted names, for training and test.
        sources: Hospitals to train on, one training for each entry.
        adapt_to: Hospital whose unlabelled images the training sees.
        statistics: Names of the statistics it is tested with.
        start: Weights it starts from.
        select: Which checkpoint is tested: ``last``, ``best`` or a pattern of file names.
        checkpoint: Weights that were trained elsewhere; there is no training then.
        trained_on: What they were trained on, for the table.
    """

    name: str
    config: Path
    options: Mapping[str, Any]
    sources: tuple[Source, ...]
    adapt_to: str | None
    statistics: tuple[str, ...]
    start: Start | None
    select: str
    checkpoint: str | None
    trained_on: str


@dataclass(frozen=True)
class Input:
    """How intensities enter the network.

    Attributes:
        transforms: Put before the packing in every pipeline.
        options: Changes of the config by dotted names.
    """

    transforms: tuple[Mapping[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class StatisticsHook:
    """What the batch norms use in a test.

    Attributes:
        hook: Config of the hook.
        images: ``test``: the tested images adapt the model; ``adapt``: those of the
            ``adapt`` file of the target, without labels.
        options: Changes of the config of the test by dotted names.
    """

    hook: Mapping[str, Any]
    images: str = "test"
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A study file, read and checked.

    Attributes:
        path: The file.
        name: Of the file, without suffix.
        text: All of its settings.
        root: The repository that relative paths are taken from.
        domains: Hospitals by name.
        models: By name.
        targets: Hospitals to test on.
        statistics: By name; no hook is the running averages of training.
        inputs: By name; one without a name if the study has none.
        options: Changes of every config by dotted names.
        seeds: One training for each.
        outcome: What is measured.
    """

    path: Path
    name: str
    text: str
    root: Path
    domains: Mapping[str, Domain]
    models: Mapping[str, Model]
    targets: tuple[str, ...]
    statistics: Mapping[str, tuple[StatisticsHook, ...]]
    inputs: Mapping[str, Input]
    options: Mapping[str, Any]
    seeds: tuple[int, ...]
    outcome: Outcome
