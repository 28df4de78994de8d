"""Which parts of an image a score hangs on: `tools/explain.py CONFIG CHECKPOINT INPUT --task T`."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import DictAction

METHODS = ("grad-cam", "grad-cam++", "attention", "rollout", "occlusion")


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description="Explain what a model says about images.")
    add = parser.add_argument
    add("config", help="config file")
    add("checkpoint", help="its weights")
    add("inputs", nargs="+", type=Path, help="annotation files, prepared PNG or DICOM files")
    add("--out", type=Path, required=True, help="folder for maps and pictures")
    add("--task", required=True, help="outcome whose score is explained")
    add("--class", dest="category", type=int, help="class of an outcome with several (default: 0)")
    add("--method", choices=METHODS, default="grad-cam")
    add("--layer", default="", help="module whose map a CAM reads (default: the backbone)")
    add("--window", type=int, default=64, help="side of what occlusion covers, in pixels")
    add("--stride", type=int, default=32, help="distance of neighbours in occlusion")
    add("--images", nargs="+", default=(), metavar="ID", help="only these, by pseudonym")
    add("--limit", type=int, help="how many cases of each annotation file")
    add("--source-pictures", action="store_true", help="maps on the pixels of the DICOM as well")
    add(
        "--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help="change the config"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    given = vars(build_parser().parse_args(argv))
    from mammography.apis.config import UsageError  # torch loads only now: --help is quick
    from mammography.apis.explaining.attributions import Question
    from mammography.apis.explaining.command import explain

    asked = ("task", "category", "method", "layer", "window", "stride")
    question = Question(**{name: given.pop(name) for name in asked})
    try:
        count = explain(question=question, **given)
    except (UsageError, ValueError, OSError) as error:
        sys.exit(f"explain.py: {error}")
    print(f"{count} images explained: {given['out']}")


if __name__ == "__main__":
    main()
