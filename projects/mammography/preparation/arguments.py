"""Words of a command line as values; a wrong one raises ``ValueError`` with the rule."""

import argparse
from collections.abc import Iterable

from mammography.preparation.decoding.frames import FrameChoice
from mammography.preparation.options import PreparationOptions
from mammography.terms import Laterality

_VOLUMES = "of a volume take the middle slice, its projection, or slice N from 0 (default: refuse)"


def parse_size(text: str) -> tuple[int, int]:
    """Read ``HEIGHTxWIDTH``, rows first.

    Raises:
        ValueError: If it is not two positive numbers.

    Example:
        >>> parse_size("1792x1024")
        (1792, 1024)
    """
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise ValueError(f"--size must be HEIGHTxWIDTH, such as 1792x1024, got {text!r}")
    return int(height), int(width)


def parse_frames(text: str) -> FrameChoice:
    """Read what to make of several frames.

    Raises:
        ValueError: If it is neither a known word nor an index.

    Example:
        >>> parse_frames("middle"), parse_frames("12")
        ('middle', 12)
    """
    words: dict[str, FrameChoice] = {"refuse": "refuse", "middle": "middle", "max": "max"}
    if text not in words and not text.isdecimal():
        rule = "refuse, middle, max or the index of a slice from 0"
        raise ValueError(f"--tomosynthesis must be {rule}, got {text!r}")
    return words[text] if text in words else int(text)


def parse_settings(texts: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` words.

    Raises:
        ValueError: If a word has no name or no ``=``, or two have the same name.

    Example:
        >>> parse_settings(["table=t.csv", "clinical=age,implant"])
        {'table': 't.csv', 'clinical': 'age,implant'}
    """
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals) or name in settings:
            rule = "come once" if name in settings else "be NAME=VALUE"
            raise ValueError(f"--source-options must {rule}, got {text!r}")
        settings[name] = value
    return settings


def add_preparation_options(parser: argparse.ArgumentParser) -> None:
    """Add the words that say how pixels are prepared."""
    add = parser.add_argument
    add("--spacing-mm", type=float, help="resample to this size of a pixel")
    add("--size", metavar="HEIGHTxWIDTH", help="size of every PNG")
    add("--flip-to", type=Laterality, choices=list(Laterality), help="lay all chest walls there")
    add("--voi", default="auto", choices=["auto", "stretch", "none"], help="default: the header's")
    add("--window-index", type=int, default=0, help="which of several windows of a header")
    add("--tomosynthesis", default="refuse", metavar="refuse|middle|max|N", help=_VOLUMES)
    processing = ["refuse", "keep", "log"]
    add("--for-processing", default="keep", choices=processing, help="raw values: default keep")
    add("--fast-jpeg2000", action="store_true", help="decode JPEG 2000 no finer than needed")
    add("--allow-unknown-laterality", action="store_true", help="keep images of unknown side")


def read_preparation_options(args: argparse.Namespace) -> PreparationOptions:
    """Return how pixels are prepared.

    Raises:
        ValueError: If a value is out of range.
    """
    return PreparationOptions(
        voi=args.voi,
        window_index=args.window_index,
        spacing_mm=args.spacing_mm,
        size_hw=args.size and parse_size(args.size),
        flip_to=args.flip_to,
        require_laterality=not args.allow_unknown_laterality,
        frames=parse_frames(args.tomosynthesis),
        for_processing=args.for_processing,
        reduce_jpeg2000=args.fast_jpeg2000,
    )
