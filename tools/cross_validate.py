"""Nested cross-validation of any config of images or of exams: `tools/cross_validate.py CONFIG`."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import DictAction

from mammography.functional.aggregation import POOLINGS
from mammography.preparation.work.shards import parse_shard

_WHAT = (
    "Divide the patients of a config into outer and inner folds, train one model for each pair, "
    "select its checkpoint on the inner fold, predict the outer fold by the mean of its models, "
    "and write out-of-fold predictions and metrics with intervals. The same command goes on where "
    "another one stopped; several may run at once. What is in the folder: "
    "help(mammography.apis.cross_validation)."
)
_EPILOG = (
    "as a Slurm array: sbatch --array=1-25 --wrap 'python tools/cross_validate.py CONFIG "
    "--shard $SLURM_ARRAY_TASK_ID/25'. exit codes: 0 done; 3 some models failed; 1 an error, "
    "nothing was done; 2 an argument that is not known"
)


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description=_WHAT, epilog=_EPILOG)
    add = parser.add_argument
    add("config", type=Path, help="the config file")
    add("--outer", type=int, default=5, help="folds that test (default: 5)")
    add(
        "--inner",
        type=int,
        default=5,
        help="folds that validate, outside of each outer one (default: 5); 0 or 1: one model for "
        "each outer fold, a fifth of the other patients validates",
    )
    add("--task", default="", help="binary task to stratify and select by (default: the first)")
    add("--seed", type=int, default=0, help="of the folds; that of training is in the config")
    add(
        "--splits",
        nargs="+",
        choices=["train", "val", "test"],
        default=["train", "val", "test"],
        help="annotations of the config that are divided; leave test out to keep it for the end",
    )
    add("--select", choices=["best", "last"], default="best", help="checkpoint (default: best)")
    add("--out", help="folder (default: work_dirs/<config name>/cross_validation)")
    add("--features", action="store_true", help="write features.npz as well")
    add("--pooling", choices=POOLINGS, default="mean", help="of images to breast, exam, patient")
    add("--shard", type=parse_shard, metavar="I/N", help="train the I-th of N parts of the models")
    add("--dry-run", action="store_true", help="write the folds, say what would be trained")
    add("--tensorboard", action="store_true", help="write curves for TensorBoard")
    add(
        "--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help="change the config"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool."""
    arguments: dict[str, Any] = vars(build_parser().parse_args(argv))
    from mammography.apis.config import UsageError  # torch loads only now: --help is quick
    from mammography.apis.cross_validation.command import cross_validate
    from mammography.apis.cross_validation.plan import Settings

    own = ("config", "outer", "inner", "task", "seed", "splits", "select")
    told = {name: arguments.pop(name) for name in own}
    options = arguments.pop("cfg_options") or {}
    try:
        settings = Settings(**told, cfg_options=options)
        failures = cross_validate(settings, **arguments, say=lambda line: print(line, flush=True))
    except (UsageError, ValueError, OSError) as error:
        sys.exit(f"cross_validate.py: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on where it was")
    return 3 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
