"""Test a checkpoint: `tools/test.py CONFIG CHECKPOINT`; results go to work_dirs/<name>/test."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from mammography.apis.arguments import add_shared_arguments, parse


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description="Test a checkpoint.")
    parser.add_argument("config", help="the config file")
    parser.add_argument("checkpoint", help="weights that match the model of the config")
    parser.add_argument("--out", help="one more file to write, beside metrics and predictions")
    parser.add_argument(
        "--out-item",
        choices=["metrics", "pred", "feature"],
        help="what it holds: metrics (JSON), pred (JSON, pickle; the default), "
        "feature (NPZ, pickle)",
    )
    parser.add_argument("--split", choices=["train", "val", "test"], default="test")
    parser.add_argument(
        "--tta", action="store_true", help="average over each image and its mirror image"
    )
    parser.add_argument(
        "--mc-dropout", type=int, default=0, metavar="N", help="average over N draws of dropout"
    )
    parser.add_argument(
        "--ensemble", nargs="+", default=(), metavar="CHECKPOINT", help="weights to average with"
    )
    parser.add_argument("--show-dir", help="folder for pictures with what the model said")
    parser.add_argument("--interval", type=int, default=1, help="draw every n-th image only")
    add_shared_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    arguments = parse(build_parser(), argv)
    from mammography.apis.config import UsageError  # torch loads only now: --help is quick
    from mammography.apis.testing import evaluate

    try:
        evaluate(**arguments)
    except UsageError as error:
        sys.exit(f"test.py: {error}")


if __name__ == "__main__":
    main()
