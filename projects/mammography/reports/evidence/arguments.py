"""The choices of the evidence as arguments of a tool."""

import argparse
from pathlib import Path

from mammography.functional.aggregation import POOLINGS
from mammography.reports.evidence.options import LEVELS, EvidenceOptions
from mammography.terms import Level


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the arguments; those that are not given keep the defaults of the options."""
    default = EvidenceOptions()
    group.add_argument(
        "--level", choices=LEVELS, default=default.level, type=Level, help="what one case is"
    )
    group.add_argument(
        "--pooling",
        choices=POOLINGS,
        default=default.pooling,
        help="how the scores of the images of a case become one",
    )
    group.add_argument("--task", help="name of a binary task (default: the only one)")
    group.add_argument(
        "--reference",
        type=int,
        default=1,
        metavar="N",
        help="which dump the others are compared with (default: the first)",
    )
    group.add_argument(
        "--threshold",
        type=float,
        nargs="+",
        default=(),
        metavar="SCORE",
        help="recall from this score on: one for all dumps, or one each (default: what the "
        "dumps carry from validation, else the best on these cases, which is optimistic)",
    )
    group.add_argument(
        "--prevalence",
        type=float,
        metavar="SHARE",
        help="share with cancer among those screened, for predictive values, the cost of a "
        "threshold and net benefit",
    )
    group.add_argument(
        "--case-control",
        action="store_true",
        help="the study fixed how many positive and negative cases it took",
    )
    group.add_argument("--repeats", type=int, default=default.repeats, help="resamples of patients")
    group.add_argument("--seed", type=int, default=default.seed, help="of the resampling")
    group.add_argument(
        "--names", nargs="+", default=(), metavar="NAME", help="what to call the models"
    )
    group.add_argument(
        "--overlays",
        type=Path,
        metavar="DIR",
        help="maps <image_id>.png of where the reference model looked, to lay over the pictures",
    )


def options_of(args: argparse.Namespace) -> EvidenceOptions:
    """Return the choices that were made.

    Raises:
        ValueError: If a value is none that it can be.
    """
    return EvidenceOptions(
        level=args.level,
        pooling=args.pooling,
        task=args.task,
        reference=args.reference - 1,
        thresholds=tuple(args.threshold),
        repeats=args.repeats,
        seed=args.seed,
        names=tuple(args.names),
        overlays=args.overlays,
        data_root=args.data_root,
        prevalence=args.prevalence,
        sampling="case_control" if args.case_control else "cohort",
    )
