"""Say what the preparation would make of files: python tools/inspect_dicom.py PATH..."""

import argparse
import os
import sys
from pathlib import Path

from mammography.preparation.arguments import add_preparation_options, read_preparation_options
from mammography.preparation.inspection.files import find_files, inspect_files, write_inspection


def main() -> int:
    """Read the arguments, inspect the files and say what was found."""
    parser = argparse.ArgumentParser(
        description="One line of JSON per file, then counts (on the error output): what a file "
        "says and what tools/prepare_dataset.py would make of it with the same options, if no "
        "table gave side and view. Paths are printed as they are, and paths may name patients; "
        "nothing else does."
    )
    add = parser.add_argument
    add("paths", nargs="+", type=Path, metavar="PATH", help="files, or folders of files")
    add("--recursive", action=argparse.BooleanOptionalAction, default=True, help="go down folders")
    add("--preview", type=Path, metavar="DIR", help="draw each file there, with burnt-in labels")
    add("--jsonl", type=Path, metavar="FILE", help="write the lines there instead")
    add("--csv", type=Path, metavar="FILE", help="write a table there instead")
    # Two at least: a decoder that crashes ends its process only.
    workers = max(os.cpu_count() or 1, 2)
    add("--workers", type=int, default=workers, help="processes (default: one per core)")
    add_preparation_options(parser)
    args = parser.parse_args()
    inspection = inspect_files(
        find_files(args.paths, args.recursive),
        read_preparation_options(args),
        args.preview,
        workers=args.workers,
        show_progress=True,
    )
    write_inspection(inspection, args.jsonl, args.csv)
    if not (args.jsonl or args.csv):
        print(inspection.as_jsonl(), end="", flush=True)
    print(inspection, file=sys.stderr)
    return inspection.exit_code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
