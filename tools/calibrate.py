"""Calibrate on the validation: python tools/calibrate.py VAL_DUMP TEST_DUMP --out FILE."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mammography.apis.calibrating import calibrate
from mammography.apis.dump_columns import UNITS


def build_parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(
        description="Fit temperature and conformal prediction sets on the predictions of the "
        "validation (tools/test.py --split val), and write those of the test with calibrated "
        "scores and prediction sets."
    )
    add = parser.add_argument
    add("validation", type=Path, help="predictions.json of patients to calibrate on")
    add("test", type=Path, help="predictions.json of other patients, by the same model")
    add("--out", type=Path, required=True, help="dump to write (.json, .pkl)")
    add("--parameters", type=Path, help="JSON of what was learned (default: beside --out)")
    add("--alpha", type=float, default=0.1, help="share that sets may miss (default: 0.1)")
    add("--unit", choices=UNITS, default="patient", help="what is exchangeable (default: patient)")
    add("--by-class", action="store_true", help="a promise for each class (Mondrian)")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    args = build_parser().parse_args(argv)
    try:
        report = calibrate(**vars(args))
    except (ValueError, OSError) as error:
        sys.exit(f"calibrate.py: {error}")
    for task, found in report["tasks"].items():
        print(
            f"{task}: temperature {found['temperature']:.3f}, "
            f"{found.get('coverage_of_units', float('nan')):.1%} of {args.unit}s covered, "
            f"{found['mean_set_size']:.2f} classes per image"
        )


if __name__ == "__main__":
    main()
