"""What decides a result, as a short text: another text, another result."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.data_sets import annotation_file

_OF_TRAINING = (
    *("model", "train_dataloader", "val_dataloader", "train_cfg", "val_cfg", "val_evaluator"),
    *("optim_wrapper", "param_scheduler", "custom_hooks", "default_hooks", "randomness"),
    *("load_from", "default_scope", "custom_imports", "sync_bn"),
)
_OF_TEST = (
    *("model", "test_dataloader", "test_cfg", "test_evaluator", "custom_hooks", "randomness"),
    *("default_scope", "custom_imports"),
)
# What only tells of a run, or makes it quick.
_IDLE = {
    *("num_workers", "persistent_workers", "pin_memory", "prefetch_factor"),
    *("logger", "timer", "visualization"),
}
_WEIGHTS = ("checkpoint", "load_from")


def fingerprint_training(cfg: Config, root: Path, **more: Any) -> str:
    """Return what decides the weights that a config learns.

    Logs and workers do not count, nor where the repository lies. The content of
    annotation files and of weights to start from counts, that of the images does not.

    Args:
        cfg: The config.
        root: The repository.
        **more: What else decides.
    """
    return _fingerprint(cfg, _OF_TRAINING, root, more)


def fingerprint_test(cfg: Config, root: Path, **more: Any) -> str:
    """Return what decides the predictions of a config; see :func:`fingerprint_training`."""
    return _fingerprint(cfg, _OF_TEST, root, more)


def digest_file(path: Path) -> str:
    """Return what tells the content of a file from another."""
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@cache
def _digest(path: Path, _size: int, _changed: int) -> str:
    """Read a file once, as long as it stays the same."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fingerprint(cfg: Config, keys: tuple[str, ...], root: Path, more: dict[str, Any]) -> str:
    plain = cfg.to_dict()
    content = {key: plain[key] for key in keys if plain.get(key) is not None}
    content = _portable(content, root.resolve()) | more
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _portable(node: Any, root: Path) -> Any:
    """Replace files by what is in them, and folders by where they are in the repository."""
    if isinstance(node, list | tuple):
        return [_portable(item, root) for item in node]
    if not isinstance(node, dict):
        return node
    made = {k: _portable(value, root) for k, value in node.items() if k not in _IDLE}
    if "ann_file" in node and annotation_file(node).is_file():
        made["ann_file_content"] = digest_file(annotation_file(node).resolve())
    for name in _WEIGHTS:
        if isinstance(made.get(name), str) and Path(made[name]).is_file():
            made[name] = digest_file(Path(made[name]).resolve())
    if isinstance(made.get("data_root"), str):
        made["data_root"] = _below(Path(made["data_root"]), root)
    return made


def _below(path: Path, root: Path) -> str:
    path = path.resolve()
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
