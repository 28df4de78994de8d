"""Draw a contact sheet: python tools/browse_dataset.py dataset/SOURCE/annotations/all.json."""

import argparse
import sys
from pathlib import Path

from mammography.reports.contact_sheet import write_contact_sheet


def main() -> None:
    """Read the arguments and draw the sheet."""
    parser = argparse.ArgumentParser(description="Draw prepared images side by side.")
    parser.add_argument("annotations", type=Path, help="dataset/SOURCE/annotations/SPLIT.json")
    parser.add_argument("--out", type=Path, default=Path("sheet.png"), help="PNG file to write")
    parser.add_argument("--columns", type=int, default=6, help="images per row")
    parser.add_argument("--limit", type=int, default=60, help="draw the first images only")
    parser.add_argument("--findings", action="store_true", help="draw the boxes of the findings")
    args = parser.parse_args()
    try:
        shown = write_contact_sheet(
            args.annotations,
            args.out,
            columns=args.columns,
            limit=args.limit,
            findings=args.findings,
        )
    except (ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(f"{args.out}: {shown} images")


if __name__ == "__main__":
    main()
