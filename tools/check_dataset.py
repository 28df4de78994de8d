"""Verify a prepared source: python tools/check_dataset.py dataset/SOURCE."""

import argparse
import json
import os
import sys
from pathlib import Path

from mammography.preparation.checks.dataset import check_dataset


def main() -> int:
    """Read the arguments, check the source and say what is wrong."""
    parser = argparse.ArgumentParser(
        description="Check annotations and images of a prepared source. Exit code 1: errors; "
        "warnings alone: 0. Nothing is written but the file of --json."
    )
    parser.add_argument("root", type=Path, metavar="dataset/SOURCE", help="folder to check")
    # Two at least: a decoder that crashes ends its process only.
    workers = max(os.cpu_count() or 1, 2)
    parser.add_argument("--workers", type=int, default=workers, help="default: one per core")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it there as well")
    args = parser.parse_args()
    report = check_dataset(args.root, workers=args.workers, show_progress=True)
    print(report)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report.to_json(), indent=1) + "\n", encoding="utf-8")
    return report.exit_code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
