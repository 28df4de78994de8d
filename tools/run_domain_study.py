"""Models x hospitals x batch-norm statistics: `tools/run_domain_study.py STUDY.py`."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence

from mmengine.config import DictAction

_WHAT = (
    "Train what is missing of a study, test every model on every hospital with every choice of "
    "statistics, and write table.csv, table.md and report.html. The same command goes on where "
    "another one stopped. What a study file says: help(mammography.apis.domain_study)."
)
_EXIT_CODES = (
    "exit codes: 0 all done; 3 some trainings or cells failed, the rest is done; 1 an error, "
    "nothing was done; 2 an argument that is not known"
)


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description=_WHAT, epilog=_EXIT_CODES)
    parser.add_argument("study", help="the study file")
    parser.add_argument("--work-dir", help="folder of the study (default: work_dirs/<study name>)")
    parser.add_argument(
        "--only", nargs="+", default=(), metavar="MODEL", help="train and test these models only"
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--tensorboard", action="store_true", help="write curves for TensorBoard")
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help="change the study file: seeds=[0,1] options.train_cfg.max_epochs=2 ...",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the tool."""
    arguments = vars(build_parser().parse_args(argv))
    from mammography.apis.config import UsageError  # torch loads only now: --help is quick
    from mammography.apis.domain_study.command import run_domain_study

    try:
        failures = run_domain_study(**arguments, say=lambda line: print(line, flush=True))
    except (UsageError, OSError) as error:
        sys.exit(f"run_domain_study.py: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on where it was")
    return 3 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
