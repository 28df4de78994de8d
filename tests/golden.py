"""Reference values and real data that lie beside the repository, where they exist."""

import json
from pathlib import Path

import pytest

SHARED = Path(__file__).parents[2] / "shared"


def golden(name: str) -> dict:
    """Return the cases of ``golden/<name>.json``, or skip the test."""
    path = SHARED / "golden" / f"{name}.json"
    if not path.exists():
        pytest.skip(f"reference values {name}.json are not beside the repository")
    return json.loads(path.read_text())["cases"]


def shared_data(name: str) -> Path:
    """Return the path of a file or folder of real data, or skip the test."""
    path = SHARED / "data" / name
    if not path.exists():
        pytest.skip(f"real data {name} is not beside the repository")
    return path
