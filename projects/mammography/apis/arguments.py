"""Command-line arguments that several tools share."""

import os
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Sequence
from typing import Any

from mmengine.config import DictAction


def add_shared_arguments(parser: ArgumentParser) -> None:
    """Add what training and testing have in common."""
    parser.add_argument("--work-dir", help="folder of the run (default: work_dirs/<config name>)")
    parser.add_argument(
        "--amp",
        action="store_true",
        help="mixed precision: float16 on a GPU, bfloat16 on a CPU",
    )
    parser.add_argument(
        "--no-pin-memory",
        dest="pin_memory",
        action="store_false",
        help="do not pin memory (it is pinned only when there is a GPU)",
    )
    parser.add_argument(
        "--report",
        action=BooleanOptionalAction,
        default=True,
        help="write report.html at the end",
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="change the config: train_dataloader.batch_size=8 param_scheduler.0.gamma=0.9 ...",
    )
    parser.add_argument(
        "--launcher",
        choices=["none", "pytorch", "slurm", "mpi"],
        default="none",
        help="what started the processes (default: none, a single one)",
    )
    parser.add_argument("--local-rank", "--local_rank", type=int, default=0, help="of a launcher")


def parse(parser: ArgumentParser, argv: Sequence[str] | None) -> dict[str, Any]:
    """Parse the command line into keyword arguments of the function behind a tool."""
    args: Namespace = parser.parse_args(argv)
    os.environ.setdefault("LOCAL_RANK", str(args.local_rank))
    del args.local_rank
    return vars(args)
