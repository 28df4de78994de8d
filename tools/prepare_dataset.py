"""Prepare images and annotations: python tools/prepare_dataset.py SOURCE --root DIR."""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

from mammography.preparation.arguments import (
    add_preparation_options,
    parse_settings,
    read_preparation_options,
)
from mammography.preparation.converters import known_sources
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.dry_run import count_source
from mammography.preparation.splits import parse_fractions
from mammography.preparation.study import DatasetOptions
from mammography.terms import TaskKind

_SHARES = ("train=0.7", "val=0.1", "test=0.2")
_SPLITS = f"shares of the patients, unless the source splits (default: {' '.join(_SHARES)})"
_TASKS = f"outcomes; KIND is {', '.join(TaskKind)} (default: those of the source)"
_EXIT_CODES = (
    "exit codes: 0 all prepared; 3 some rejected, the rest prepared; 1 an error, or nothing "
    "could be prepared; 2 an argument that is not known"
)


def main() -> int:
    """Read the arguments, prepare the source and say what was done."""
    parser = argparse.ArgumentParser(
        description="From DICOM files to 16-bit PNG and annotations.", epilog=_EXIT_CODES
    )
    add = parser.add_argument
    add("source", help=f"one of {', '.join(known_sources())}")
    add("--root", type=Path, help="where the source lies")
    add("--out", type=Path, help="folder to write (default: dataset/SOURCE)")
    add("--tasks", nargs="+", default=(), metavar="NAME:KIND[=A,B]", help=_TASKS)
    add("--workers", type=int, default=os.cpu_count(), help="processes (default: one per core)")
    add("--limit", type=int, help="only the first N images, by path")
    add("--splits", nargs="+", default=_SHARES, metavar="SPLIT=SHARE", help=_SPLITS)
    add("--seed", type=int, default=0, help="another seed draws other splits")
    add_preparation_options(parser)
    add("--salt-file", type=Path, help="secret of the pseudonyms (default: OUT/private/salt)")
    add("--source-options", nargs="+", default=(), metavar="NAME=VALUE", help="see the card")
    add("--overwrite", action="store_true", help="do again what earlier runs have done")
    add("--dry-run", action="store_true", help="read the tables only and print counts as JSON")
    words = parser.parse_args()
    args = vars(words) | {"preparation": read_preparation_options(words)}
    args["fractions"] = parse_fractions(args.pop("splits"))
    args["source_options"] = parse_settings(args["source_options"])
    options = _take(DatasetOptions, args)
    if args["dry_run"]:
        found = count_source(args["source"], args["root"], options)
        print(json.dumps(found.counts, indent=1))
        return found.exit_code
    summary = prepare_dataset(
        args["source"],
        args["out"] or Path("dataset") / args["source"],
        args["root"],
        options,
        workers=args["workers"],
        overwrite=args["overwrite"],
        show_progress=True,
    )
    print(summary)
    return summary.exit_code


def _take(kind: type, args: dict[str, object]) -> object:
    """Make options of the arguments that have the names of their fields."""
    names = [field.name for field in dataclasses.fields(kind) if field.name in args]
    return kind(**{name: args[name] for name in names})


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on where it was")
