"""Read a config file, change it from the command line, refuse what would have no effect."""

import difflib
import inspect
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner
from mmengine.utils import import_modules_from_strings

from mammography.apis.console import import_plugin

# What a runner reads of a config; everything else in it only helps to write it.
_READ_ELSEWHERE = {
    "activation_checkpointing",
    "compile",
    "custom_imports",
    "efficient_conv_bn_eval",
    "find_unused_parameters",
    "model_wrapper_cfg",
    "runner_type",
    "sync_bn",
    "tta_model",
    "tta_pipeline",
}
RUN_KEYS = (set(inspect.signature(Runner).parameters) | _READ_ELSEWHERE) - {"cfg"}
_PATH_KEYS = ("data_root", "ann_file", "checkpoint", "load_from")


class UsageError(ValueError):
    """What was asked for on the command line cannot be done; the message says why."""


def load_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and change it.

    Relative paths in it that do not exist below the current folder are taken from the
    repository that holds the config, so that tools work from anywhere.

    Args:
        path: The config file.
        options: Dotted names to values, as ``--cfg-options`` gives them.

    Raises:
        UsageError: If there is no such file, or an option would have no effect.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"config {path} does not exist{_similar(path)}")
    import_plugin()
    cfg = Config.fromfile(path)
    root = repository_of(path)
    if cfg.get("work_dir") is None:
        cfg.work_dir = str(root / "work_dirs" / path.stem)
    if root.resolve() != Path.cwd():
        _anchor(cfg, root)
    merge_options(cfg, options)
    return cfg


def merge_options(cfg: Config, options: Mapping[str, Any] | None) -> None:
    """Change a config by dotted names.

    Raises:
        UsageError: If an option would have no effect.
    """
    options = dict(options or {})
    for name in options:
        _check_option(cfg, name.split(".")[0])
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, IndexError) as error:
        raise UsageError(f"--cfg-options: {error}") from error
    if any(name.startswith("custom_imports") for name in options):
        import_modules_from_strings(**cfg.custom_imports)  # MMEngine does so for files only


def repository_of(config: Path) -> Path:
    """Return the folder that holds ``configs``, from any place in it; else the current one."""
    parents = config.resolve().parents
    root = next((folder for folder in parents if (folder / "configs").is_dir()), Path.cwd())
    return Path() if root == Path.cwd() else root


def check_checkpoint(path: str, work_dir: str) -> str:
    """Return the path of a checkpoint that is there, or an address of one.

    Raises:
        UsageError: If there is no such file; names those of the run.
    """
    if "://" in path or Path(path).is_file():
        return path
    found = sorted(str(p) for p in Path(work_dir).glob("*.pth"))
    raise UsageError(
        f"checkpoint {path} does not exist: {work_dir} holds {', '.join(found) or 'none'}"
    )


def places_of(cfg: Config, value: Any) -> list[str]:
    """Return the dotted names below which a runner reads a value."""
    return [name for name, found in _walk(cfg) if found == value and type(found) is type(value)]


def _check_option(cfg: Config, key: str) -> None:
    if key in RUN_KEYS:
        return
    if key in cfg:
        places = ", ".join(places_of(cfg, cfg[key])[:6])
        raise UsageError(
            f"--cfg-options {key}: has no effect, the config used {key} when it was read: "
            f"set {places or 'what it was used for'}"
        )
    names = sorted(RUN_KEYS | set(cfg))
    close = ", ".join(difflib.get_close_matches(key, names, n=3)) or ", ".join(sorted(cfg))
    raise UsageError(f"--cfg-options {key}: must begin with a key of the config, e.g. {close}")


def _walk(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that a runner reads with its dotted name."""
    if name:
        yield name, node
    if isinstance(node, Config | dict):
        items = [(k, v) for k, v in node.items() if name or k in RUN_KEYS]
    else:
        items = list(enumerate(node)) if isinstance(node, list | tuple) else []
    for key, value in items:
        yield from _walk(value, f"{name}.{key}" if name else str(key))


def _anchor(cfg: Config, root: Path) -> None:
    """Take paths that exist below ``root`` but not below the current folder from there."""
    found = {
        name: str(root / value)
        for name, value in _walk(cfg)
        if name.split(".")[-1] in _PATH_KEYS
        and isinstance(value, str)
        and value
        and not Path(value).exists()
        and (root / value).exists()
    }
    cfg.merge_from_dict(found)


def _similar(path: Path) -> str:
    """Suggest configs with a similar name."""
    root = repository_of(path) / "configs"
    configs = {p.stem: p for p in sorted(root.rglob("*.py")) if "_base_" not in p.parts}
    close = difflib.get_close_matches(path.stem, configs, n=3, cutoff=0.5)
    return f": did you mean {' or '.join(str(configs[name]) for name in close)}?" if close else ""
