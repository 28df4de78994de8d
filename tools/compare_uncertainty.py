"""Ask dumps where they are unsure: python tools/compare_uncertainty.py DUMP... --task NAME."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mammography.apis.uncertainty import PARTS, compare_uncertainty, in_words


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description="Compare models by cross-entropy, by their errors on the images that they are "
        "surest of, and by whether their uncertainty tells a group of images."
    )
    add = parser.add_argument
    add("dumps", nargs="+", type=Path, help="predictions.json of the same images; first: reference")
    add("--task", required=True, help="a task with classes")
    add("--coverage", type=float, default=0.8, help="share of the surest images (default: 0.8)")
    add("--part", choices=PARTS, default="total", help="what ranks images (default: total)")
    add("--annotations", type=Path, help="annotation file that holds the field of --group")
    add("--group", metavar="FIELD=VALUE", help="images that the uncertainty should tell")
    add("--out", type=Path, help="JSON to write")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    parser = build_parser()
    args = vars(parser.parse_args(argv))
    if args["group"]:
        field, sign, value = args["group"].partition("=")
        if not sign:
            parser.error(f"--group must be FIELD=VALUE, got {field}")
        args["group"] = (field, value)
    try:
        print(in_words(compare_uncertainty(**args)))
    except (ValueError, OSError) as error:
        sys.exit(f"compare_uncertainty.py: {error}")


if __name__ == "__main__":
    main()
