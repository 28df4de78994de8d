"""Fuse clinical variables with what images say: `tools/train_clinical.py --mode ...`."""

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_WHAT = (
    "Fit models of clinical variables, of images and of both by nested cross-validation of "
    "patients, and compare them with intervals and paired tests. What images say must come from "
    "networks that did not train on the patient: the folder of tools/cross_validate.py, or dumps "
    "of tools/test.py on other patients. A model that is to be used before an operation must not "
    "have variables that are known after it (size in pathology, invasion of vessels, nodes): "
    "leave them out with --exclude."
)


def build_parser() -> ArgumentParser:
    """Describe the command line."""
    parser = ArgumentParser(description=_WHAT)
    add = parser.add_argument
    modes = ("clinical", "mammo", "clinical-mammo")
    add("--mode", dest="modes", nargs="+", choices=modes, default=modes, help="default: all three")
    add("--out", required=True, type=Path, help="folder for scores, metrics.json and results.md")
    add("--task", default="malignant", help="binary outcome (default: malignant)")
    add("--annotations", nargs="+", type=Path, default=(), help="with clinic_vars and labels")
    add("--table", type=Path, help="CSV with patient_id and variables, instead or in addition")
    add(
        "--images",
        nargs="+",
        type=Path,
        default=(),
        help="folder of tools/cross_validate.py, or dumps (JSON, pickle; features: NPZ)",
    )
    add("--features", action="store_true", help="take features.npz of that folder, not predictions")
    add("--pooling", choices=["mean", "max"], default="mean", help="over the images of a patient")
    add("--columns", nargs="+", default=(), help="variables to use (default: all)")
    add("--exclude", nargs="+", default=(), help="variables to leave out")
    for kind, what in (("numeric", "numbers"), ("categorical", "classes"), ("binary", "0 or 1")):
        add(f"--{kind}", nargs="+", default=(), help=f"variables that hold {what}")
    known = ("mlp", "logistic", "boosting")
    add("--models", nargs="+", choices=known, default=known, help="default: all three")
    add("--outer", type=int, default=5, help="outer folds, unless the images have folds")
    add("--inner", type=int, default=5, help="inner folds, likewise")
    add("--seed", type=int, default=0, help="of folds and models")
    add(
        "--allow-in-fold-features",
        dest="allow_in_fold",
        action="store_true",
        help="take what networks say of patients they trained on; results are then too good",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run the tool."""
    arguments: dict[str, Any] = vars(build_parser().parse_args(argv))
    from mammography.apis.clinical.command import Settings, train_clinical  # slow to import

    out = arguments.pop("out")
    try:
        train_clinical(Settings(**arguments), out, say=lambda line: print(line, flush=True))
    except (ValueError, OSError) as error:
        sys.exit(f"train_clinical.py: {error}")


if __name__ == "__main__":
    main()
