"""Write the report of a run, or the evidence of one dump or several.

python tools/report.py work_dirs/CONFIG_NAME
python tools/report.py DUMP... --out DIR
"""

import argparse
import sys
from pathlib import Path

from mammography.reports.evidence.arguments import add_arguments, options_of
from mammography.reports.evidence.write import write_evidence
from mammography.reports.run_report import write_run_report

PREDICTIONS = Path("test", "predictions.json")


def main() -> None:
    """Read the arguments and write the page."""
    parser = argparse.ArgumentParser(
        description="Write a self-contained HTML report of a run, or the evidence from dumps."
    )
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="RUN_DIR | DUMP",
        help="folder of a run, or predictions of models on the same cases (JSON, pickle); "
        "several folders stand for their test/predictions.json",
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="of a run: file to write (default: RUN_DIR/report.html); of dumps: folder to write",
    )
    parser.add_argument(
        "--data-root", type=Path, help="folder of the data set, when it has moved since the test"
    )
    add_arguments(parser.add_argument_group("evidence from dumps"))
    args = parser.parse_args()
    is_run = len(args.paths) == 1 and args.paths[0].suffix not in (".json", ".pkl", ".pickle")
    if not is_run and args.out is None:
        parser.error("--out DIR must name the folder for the evidence from dumps")
    try:
        if is_run:
            page = write_run_report(args.paths[0], args.out, args.data_root)
        else:
            dumps = [path / PREDICTIONS if path.is_dir() else path for path in args.paths]
            page = write_evidence(dumps, args.out, options_of(args))
    except (FileNotFoundError, ValueError) as error:
        sys.exit(str(error))
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    main()
