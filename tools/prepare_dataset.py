"""Prepare images and annotations: python tools/prepare_dataset.py SOURCE --root DIR."""

import argparse
import dataclasses
import json
import sys
from pathlib import Path

import joblib

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
from mammography.preparation.work.shards import parse_shard
from mammography.structures.pixel_cache import CACHE_KINDS
from mammography.terms import TaskKind

_SHARES = ("train=0.7", "val=0.1", "test=0.2")
_SPLITS = f"shares of the patients, unless the source splits (default: {' '.join(_SHARES)})"
_TASKS = f"outcomes; KIND is {', '.join(TaskKind)} (default: those of the source)"
_WORKERS = "processes on this machine (default: one per core that this process may use)"
_SCHEDULER = "a Dask scheduler, tcp://HOST:8786, whose workers do the work in their place"
_SHARD = "prepare part I of N only; a call without it merges them, and writes annotations"
_CACHE = "store decoded pixels as well: npy takes more space, blosc about that of the PNG files"
_WITH_IMAGES_ONLY = ("workers", "scheduler", "shard", "cache", "overwrite")
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
    add("--workers", type=int, metavar="N", help=_WORKERS)
    add("--scheduler", metavar="ADDRESS", help=_SCHEDULER)
    add("--shard", metavar="I/N", help=_SHARD)
    add("--cache", choices=CACHE_KINDS, help=_CACHE)
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
        _refuse(args, _WITH_IMAGES_ONLY)
        found = count_source(args["source"], args["root"], options)
        print(json.dumps(found.counts, indent=1))
        return found.exit_code
    summary = prepare_dataset(
        args["source"],
        args["out"] or Path("dataset") / args["source"],
        args["root"],
        options,
        workers=_workers(args["workers"], args["scheduler"]),
        scheduler=args["scheduler"],
        shard=args["shard"] and parse_shard(args["shard"]),
        cache=args["cache"],
        overwrite=args["overwrite"],
        show_progress=True,
    )
    print(summary)
    return summary.exit_code


def _take(kind: type, args: dict[str, object]) -> object:
    """Make options of the arguments that have the names of their fields."""
    names = [field.name for field in dataclasses.fields(kind) if field.name in args]
    return kind(**{name: args[name] for name in names})


def _refuse(args: dict[str, object], names: tuple[str, ...]) -> None:
    """Refuse arguments that speak about images where none is prepared."""
    for name in names:
        if args[name]:
            raise ValueError(f"--{name} must not be given with --dry-run, got {args[name]}")


def _workers(wanted: int | None, scheduler: str | None) -> int:
    """Return the number of processes: also one alone is protected from a bad file."""
    if wanted is not None and wanted < 1:
        raise ValueError(f"--workers must be at least 1, got {wanted}")
    return wanted or (0 if scheduler else joblib.cpu_count())


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on where it was")
