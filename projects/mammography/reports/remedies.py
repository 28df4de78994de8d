"""What a page says where it has nothing to show, and what makes it."""

import re

from mammography.reports.blocks import Text, Tone
from mammography.reports.run_folder import Run


def missing_log() -> Text:
    """There is no training log."""
    return _missing(
        "There is no training log (<time>/vis_data/scalars.json). A run that was only tested has "
        "none; otherwise the config must keep mmengine's local backend:",
        'vis_backends = [dict(type="LocalVisBackend")]',
    )


def missing_validation() -> Text:
    """The training log holds no validation."""
    return _missing(
        "The training log holds no validation. A self-supervised run has none; otherwise give the "
        "config a val_dataloader, val_cfg and val_evaluator, then train:",
        "python tools/train.py CONFIG",
    )


def missing_config() -> Text:
    """The config was not dumped."""
    return _missing(
        "There is no dumped config (<time>/vis_data/config.py). Training writes it:",
        "python tools/train.py CONFIG",
    )


def missing_metrics(run: Run) -> Text:
    """The weights were not tested."""
    return _missing(
        "There is no test/metrics.json. A self-supervised run has none; otherwise test the "
        "weights:",
        _test_command(run),
    )


def missing_predictions(run: Run) -> Text:
    """The model has not predicted."""
    return _missing(
        "There is no test/predictions.json. A self-supervised run has none; otherwise test the "
        "weights:",
        _test_command(run),
    )


def missing_pictures() -> Text:
    """Some images are not where the predictions say."""
    return _missing(
        "Pictures were not found. Name the folder that img_path is relative to:",
        "python tools/report.py RUN_DIR --data-root dataset/SOURCE",
    )


def _missing(text: str, remedy: str) -> Text:
    return Text(text, Tone.MISSING, remedy)


def _test_command(run: Run) -> str:
    """Write the command with the names of this run, as far as they are known."""
    best = [name for name in run.checkpoints if name.startswith("best")]
    checkpoints = sorted(best or run.checkpoints, key=_natural)
    weights = f"work_dirs/{run.name}/{checkpoints[-1]}" if checkpoints else "CHECKPOINT"
    return f"python tools/test.py CONFIG {weights}"


def _natural(name: str) -> list[int]:
    """Order ``epoch_9`` before ``epoch_10``."""
    return [int(digits) for digits in re.findall(r"\d+", name)]
