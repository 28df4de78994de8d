"""Heat maps of a patch classifier: `tools/make_heat_maps.py CONFIG CHECKPOINT INPUT --out DIR`."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import DictAction


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description="Slide a patch classifier over whole images.")
    add = parser.add_argument
    add("config", help="config of a patch classifier")
    add("checkpoint", help="its weights")
    add("inputs", nargs="+", type=Path, help="dataset/SOURCE/annotations/SPLIT.json, or images")
    add("--out", type=Path, required=True, help="folder for maps, pictures and figures")
    add("--stride", type=int, default=8, help="pixels between windows (default: 8)")
    add("--window", type=int, help="side of a patch in pixels (default: that of the config)")
    add(
        "--isolated",
        action="store_true",
        help="see each window alone, as the patches of training; many times slower",
    )
    add(
        "--least-breast",
        type=float,
        default=0.25,
        help="share of a window that must be breast for a lesion to be seen there (default: 0.25)",
    )
    add("--limit", type=int, help="how many images of each annotation file")
    add(
        "--source-pictures",
        action="store_true",
        help="write the map of all lesions on the pixels of the DICOM as well, 16 bits",
    )
    add(
        "--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help="change the config"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    arguments = vars(build_parser().parse_args(argv))
    from mammography.apis.config import UsageError  # torch loads only now: --help is quick
    from mammography.apis.heat_maps.command import make_heat_maps

    try:
        print(json.dumps(make_heat_maps(**arguments), indent=1))
    except (UsageError, ValueError, OSError) as error:
        sys.exit(f"make_heat_maps.py: {error}")


if __name__ == "__main__":
    main()
