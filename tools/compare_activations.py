"""Compare recorded activations: python tools/compare_activations.py A.npz B.npz --out DIR."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mammography.reports.activations.compare import compare_recordings


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description="Draw densities of the channels of each layer, several models side by side, "
        "and measure how far apart the recordings of RecordActivationsHook are."
    )
    add = parser.add_argument
    add("recordings", nargs="+", type=Path, metavar="NPZ", help="work_dirs/.../activations/*.npz")
    add("--out", type=Path, required=True, help="folder for figures and tables")
    add("--names", nargs="+", help="a name for each file (default: where the paths differ)")
    add("--layers", nargs="+", default=(), metavar="REGEX", help="only layers so named")
    add("--channels", type=int, default=32, help="most channels in a figure (default: 32)")
    add("--gradients", action="store_true", help="of gradients, in place of activations")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    args = build_parser().parse_args(argv)
    try:
        compare_recordings(
            args.recordings,
            args.out,
            names=args.names,
            layers=args.layers,
            kind="gradient" if args.gradients else "activation",
            channels=args.channels,
            say=lambda line: print(line, flush=True),
        )
    except (ValueError, OSError) as error:
        sys.exit(f"compare_activations.py: {error}")
    print(f"{args.out}: ridgelines, distances and layers")


if __name__ == "__main__":
    main()
