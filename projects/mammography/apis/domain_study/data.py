"""Put hospitals and input normalisation into the config of a model."""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError
from mammography.apis.data_sets import Dataset, data_sets
from mammography.apis.domain_study.study import Domain

LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader")
_PACKING = "PackMammogram"
_NEEDS_LABELS = ("tasks", "labelled_only", "balance_by", "shuffle_labels")

Filling = Callable[[Dataset], list[Dataset]]


def fill_training(cfg: Config, sources: Sequence[Domain], adapt_to: Domain | None) -> None:
    """Let a config train on the sources, and see the unlabelled images of another hospital.

    Every data set with an ``ann_file`` holds images of the sources, one data set for each; one
    with ``domain="target"`` or ``unlabelled=True`` those of the hospital to adapt to.

    Args:
        cfg: Changed in place.
        sources: Hospitals to train and validate on.
        adapt_to: Hospital whose images are seen without labels.

    Raises:
        UsageError: If the config has such a data set and there is no such hospital, or the
            other way round.
    """
    targets = [leaf for leaf in data_sets(cfg.train_dataloader.dataset) if _is_target(leaf)]
    if bool(targets) != (adapt_to is not None):
        what = "a data set of the target domain" if targets else "no data set of the target domain"
        raise UsageError(
            f"adapt_to must name a hospital if, and only if, the training data of the config has "
            f'a data set with domain="target" or unlabelled=True, got {what} and '
            f"{adapt_to.name if adapt_to else None}"
        )
    for role in ("train", "val"):
        loader = cfg.get(f"{role}_dataloader")
        if loader is None:
            continue

        def fill(leaf: Dataset, role: str = role) -> list[Dataset]:
            if _is_target(leaf) and adapt_to:
                return [_of_domain(leaf, adapt_to, "adapt" if role == "train" else role)]
            return [_of_domain(leaf, source, role) for source in sources]

        loader.dataset = _join(_fill(loader.dataset, fill))


def fill_test(cfg: Config, target: Domain) -> None:
    """Let a config test on a hospital; changes it in place."""
    loader = cfg.test_dataloader
    loader.dataset = _join(_fill(loader.dataset, lambda leaf: [_of_domain(leaf, target, "test")]))


def adaptation_images(cfg: Config, target: Domain) -> Dataset:
    """Return the loader of the images that adapt a model to a hospital, without their labels."""

    def fill(leaf: Dataset) -> list[Dataset]:
        made = _of_domain(leaf, target, "adapt")
        if made.get("type") == "MammographyDataset":
            made = {key: value for key, value in made.items() if key not in _NEEDS_LABELS}
            made["unlabelled"] = True
        return [made]

    tested = cfg.test_dataloader
    settings = ("batch_size", "num_workers", "persistent_workers", "pin_memory", "collate_fn")
    shared = {name: copy.deepcopy(tested[name]) for name in settings if name in tested}
    return {**shared, "dataset": _join(_fill(tested.dataset, fill))}


def insert_transforms(cfg: Config, transforms: Sequence[Any]) -> None:
    """Put transforms before the packing in every pipeline; changes the config in place.

    Raises:
        UsageError: If a loader has no pipeline that packs.
    """
    for name in LOADERS if transforms else ():
        if cfg.get(name) is None:
            continue
        pipelines = list(_pipelines(cfg[name].dataset))
        if not pipelines:
            raise UsageError(f"transforms need a {_PACKING} in {name}.dataset.pipeline, got none")
        for pipeline in pipelines:
            place = next(i for i, step in enumerate(pipeline) if step.get("type") == _PACKING)
            pipeline[place:place] = copy.deepcopy(list(transforms))


def _is_target(leaf: Dataset) -> bool:
    return leaf.get("domain") == "target" or bool(leaf.get("unlabelled"))


def _of_domain(leaf: Dataset, domain: Domain, role: str) -> Dataset:
    return {**copy.deepcopy(dict(leaf)), "data_root": domain.data_root, **domain.files[role]}


def _fill(node: Any, fill: Filling) -> list[Dataset]:
    """Replace every data set with an annotation file, and keep what is around it."""
    if "ann_file" in node:
        return fill(node)
    around = dict(node)
    if "datasets" in node:
        around["datasets"] = [made for inner in node["datasets"] for made in _fill(inner, fill)]
    elif "dataset" in node:
        around["dataset"] = _join(_fill(node["dataset"], fill))
    else:
        raise UsageError(f"a data set must have an ann_file, got {node.get('type')} without")
    return [around]


def _join(datasets: list[Dataset]) -> Dataset:
    return datasets[0] if len(datasets) == 1 else {"type": "ConcatDataset", "datasets": datasets}


def _pipelines(node: Any) -> Iterator[list[Any]]:
    """Yield the pipelines that pack, of a data set and of what is inside it."""
    pipeline = node.get("pipeline")
    if pipeline and any(step.get("type") == _PACKING for step in pipeline):
        yield pipeline
    for inner in [*node.get("datasets", ()), *([node["dataset"]] if "dataset" in node else [])]:
        yield from _pipelines(inner)
