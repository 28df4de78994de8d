"""Write the report of a run: python tools/report.py work_dirs/CONFIG_NAME."""

import argparse
import sys
from pathlib import Path

from mammography.reports.run_report import write_run_report


def main() -> None:
    """Read the arguments and write the page."""
    parser = argparse.ArgumentParser(description="Write a self-contained HTML report of a run.")
    parser.add_argument("run_dir", type=Path, help="folder of the run, work_dirs/CONFIG_NAME")
    parser.add_argument("--out", type=Path, help="file to write (default: RUN_DIR/report.html)")
    parser.add_argument(
        "--data-root", type=Path, help="folder of the data set, when it has moved since the test"
    )
    args = parser.parse_args()
    try:
        page = write_run_report(args.run_dir, args.out, args.data_root)
    except FileNotFoundError as error:
        sys.exit(str(error))
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
