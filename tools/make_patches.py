"""Cut patches of a prepared source: python tools/make_patches.py dataset/SOURCE --out DIR."""

import argparse
import sys
from pathlib import Path

import joblib

from mammography.preparation.arguments import parse_size
from mammography.preparation.patches.dataset import make_patches
from mammography.preparation.patches.options import PatchOptions
from mammography.preparation.splits import parse_fractions

_SET = (
    "S: the centre of each lesion and one of background; S10: ten of each lesion, ten of background"
)
_SPLITS = "split anew by patient, such as train=0.765 val=0.085 test=0.15 (default: as the source)"
_BORDER = "move patches that reach beyond the image inside (default), or fill them up with zeros"
_MALIGNANT = "binary task whose label of the image tells it where findings do not"
_EXIT_CODES = (
    "exit codes: 0 all done; 3 some images rejected, the rest done; 1 an error, or no patch; "
    "2 an argument that is not known"
)


def main() -> int:
    """Read the arguments, cut the patches and say what was done."""
    parser = argparse.ArgumentParser(
        description="From prepared images with outlined lesions to patches of five classes.",
        epilog=_EXIT_CODES,
    )
    add = parser.add_argument
    add("source", type=Path, help="folder that tools/prepare_dataset.py wrote")
    add("--out", type=Path, required=True, help="folder to write")
    add("--set", default="S10", metavar="S|S10|SN", help=_SET)
    add("--patch-size", default="224", metavar="N|HEIGHTxWIDTH", help="pixels (default: 224)")
    add("--seed", type=int, default=0, help="another seed draws other places and splits")
    add("--splits", nargs="+", metavar="SPLIT=SHARE", help=_SPLITS)
    add("--least-breast", type=float, default=0.25, help="share of a patch of background")
    add("--border", choices=["shift", "zeros"], default="shift", help=_BORDER)
    add("--malignant-from", metavar="TASK", help=_MALIGNANT)
    add("--remove-watermarks", action="store_true", help="set to 0 what is not the breast")
    add("--workers", type=int, default=joblib.cpu_count(), help="processes (default: all cores)")
    add("--overwrite", action="store_true", help="do again what earlier runs have done")
    args = parser.parse_args()
    size = args.patch_size
    options = PatchOptions(
        patch_set=args.set,
        patch_hw=parse_size(size if "x" in size else f"{size}x{size}"),
        seed=args.seed,
        least_breast=args.least_breast,
        border=args.border,
        malignant_from=args.malignant_from,
        remove_watermarks=args.remove_watermarks,
    )
    summary = make_patches(
        args.source,
        args.out,
        options,
        args.splits and parse_fractions(args.splits),
        workers=args.workers,
        overwrite=args.overwrite,
        show_progress=True,
    )
    print(summary)
    return summary.exit_code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on where it was")
