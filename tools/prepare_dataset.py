"""Prepare images and annotations: python tools/prepare_dataset.py SOURCE --root DIR."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path

from mammography.preparation.arguments import parse_settings, parse_size
from mammography.preparation.converters import known_sources
from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.image import PreparationOptions
from mammography.preparation.splits import parse_fractions
from mammography.preparation.study import DatasetOptions
from mammography.terms import Laterality


def main() -> int:
    """Read the arguments, prepare the source and say what was done."""
    parser = argparse.ArgumentParser(description="From DICOM files to 16-bit PNG and annotations.")
    add = parser.add_argument
    add("source", help=f"one of {', '.join(known_sources())}")
    add("--root", type=Path, help="where the source lies")
    add("--out", type=Path, help="folder to write (default: dataset/SOURCE)")
    add("--tasks", nargs="+", default=(), metavar="NAME:KIND[=A,B]", help="outcomes")
    add("--workers", type=int, default=os.cpu_count(), help="processes (default: one per core)")
    add("--limit", type=int, help="only the first N images, by path")
    add("--splits", nargs="+", default=("train=0.7", "val=0.1", "test=0.2"), metavar="SPLIT=SHARE")
    add("--seed", type=int, default=0, help="another seed draws other splits")
    add("--spacing-mm", type=float, help="resample to this size of a pixel")
    add("--size", dest="size_hw", metavar="HEIGHTxWIDTH", help="size of every PNG")
    add("--flip-to", type=Laterality, choices=list(Laterality), help="lay all chest walls there")
    add("--voi", default="auto", choices=["auto", "stretch", "none"], help="default: the header's")
    add("--window-index", type=int, default=0, help="which of several windows of a header")
    add("--allow-unknown-laterality", dest="require_laterality", action="store_false")
    add("--salt-file", type=Path, help="secret of the pseudonyms (default: OUT/private/salt)")
    add("--source-options", nargs="+", default=(), metavar="NAME=VALUE", help="see the card")
    add("--overwrite", action="store_true", help="do again what earlier runs have done")
    args = vars(parser.parse_args())
    args["size_hw"] = args["size_hw"] and parse_size(args["size_hw"])
    args["fractions"] = parse_fractions(args.pop("splits"))
    args["source_options"] = parse_settings(args["source_options"])
    args["preparation"] = _take(PreparationOptions, args)
    summary = prepare_dataset(
        args["source"],
        args["out"] or Path("dataset") / args["source"],
        args["root"],
        _take(DatasetOptions, args),
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
