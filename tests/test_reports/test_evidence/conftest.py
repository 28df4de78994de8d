"""An invented study of two models and its evidence, made once."""

import csv

import pytest

from invented_evidence import write_invented
from mammography.reports.evidence.options import EvidenceOptions
from mammography.reports.evidence.study import read_study
from mammography.reports.evidence.write import write_evidence

REPEATS = 100


@pytest.fixture(scope="session")
def invented(tmp_path_factory):
    return write_invented(tmp_path_factory.mktemp("invented"), patients=150, pictures=600)


@pytest.fixture(scope="session")
def options(invented):
    overlays = invented.root / "dataset" / "invented" / "explain"
    return EvidenceOptions(repeats=REPEATS, thresholds=(0.1, 0.2), overlays=overlays)


@pytest.fixture(scope="session")
def study(invented, options):
    return read_study(invented.dumps, options)


@pytest.fixture(scope="session")
def folder(invented, options, tmp_path_factory):
    """The folder of the written evidence."""
    out = tmp_path_factory.mktemp("evidence")
    write_evidence(invented.dumps, out, options)
    return out


@pytest.fixture(scope="session")
def page(folder):
    return (folder / "evidence.html").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def table(folder):
    """Read one of the CSV files."""

    def read(name):
        with (folder / "tables" / f"{name}.csv").open(newline="") as file:
            return list(csv.DictReader(file))

    return read
