"""Train a model: `tools/train.py configs/multi_task/<name>.py`; results go to work_dirs/<name>."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from mammography.apis.arguments import add_shared_arguments, parse


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description="Train a model.")
    parser.add_argument("config", help="the config file")
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        help="continue from a checkpoint; without one, from the last of the run, if any",
    )
    parser.add_argument("--no-validate", dest="validate", action="store_false")
    parser.add_argument(
        "--auto-scale-lr",
        action="store_true",
        help="scale the learning rate with the batch size over all processes",
    )
    parser.add_argument("--no-persistent-workers", dest="persistent_workers", action="store_false")
    parser.add_argument("--tensorboard", action="store_true", help="write curves for TensorBoard")
    parser.add_argument("--seed", type=int, help="instead of the one of the config")
    parser.add_argument(
        "--deterministic", action="store_true", help="the same numbers each time, slower"
    )
    add_shared_arguments(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    arguments = parse(build_parser(), argv)
    from mammography.apis.config import UsageError  # torch loads only now: --help is quick
    from mammography.apis.training import train

    try:
        train(**arguments)
    except UsageError as error:
        sys.exit(f"train.py: {error}")


if __name__ == "__main__":
    main()
