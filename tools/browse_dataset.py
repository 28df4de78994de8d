"""Draw prepared images, or what training makes of them: python tools/browse_dataset.py PATH."""

import argparse
import sys
from pathlib import Path

from mmengine.config import DictAction

from mammography.reports.contact_sheet import write_contact_sheet


def main() -> int:
    """Read the arguments and draw the sheet; return how many images it shows."""
    parser = argparse.ArgumentParser(
        description="Draw prepared images side by side; of a config, each image before and after "
        "its training transforms."
    )
    add = parser.add_argument
    add("path", type=Path, help="dataset/SOURCE/annotations/SPLIT.json, or a config (.py)")
    add("--out", type=Path, default=Path("sheet.png"), help="PNG file to write")
    add("--limit", type=int, help="how many images (default: the first 60; of a config: 8)")
    add("--findings", action="store_true", help="outline the findings")
    add("--columns", type=int, default=6, help="images per row, of an annotation file")
    of_config = parser.add_argument_group("of a config")
    add = of_config.add_argument
    add("--split", default="train", choices=["train", "val", "test"], help="whose transforms")
    add("--versions", type=int, default=4, help="how often each image is transformed")
    add("--seed", type=int, default=0, help="seed of the random transforms")
    add(
        "--cfg-options", nargs="+", action=DictAction, metavar="KEY=VALUE", help="change the config"
    )
    args = parser.parse_args()
    if args.path.suffix != ".py":
        return write_contact_sheet(
            args.path,
            args.out,
            columns=args.columns,
            limit=args.limit or 60,
            findings=args.findings,
        )
    # Slow to import, and of use for a config alone.
    from mammography.apis.browsing import write_pipeline_sheet

    return write_pipeline_sheet(
        args.path,
        args.out,
        split=args.split,
        limit=args.limit or 8,
        versions=args.versions,
        seed=args.seed,
        findings=args.findings,
        cfg_options=args.cfg_options,
    )


if __name__ == "__main__":
    try:
        print(f"{main()} images drawn")
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
