"""The pins are the same wherever they are written, and name no index."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PINS = [
    line
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


def dependencies() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["dependencies"]]


def test_the_conda_environment_pins_what_the_constraints_pin():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = (part["pip"] for part in environment["dependencies"] if isinstance(part, dict))
    assert pip == [*PINS, "-e ."]


def test_every_dependency_is_pinned_inside_its_range():
    pins = {Requirement(pin).name: Requirement(pin) for pin in PINS}
    assert set(pins) == {dependency.name for dependency in dependencies()}
    for dependency in dependencies():
        (version,) = pins[dependency.name].specifier
        assert version.operator == "=="
        assert dependency.specifier.contains(version.version), dependency


@pytest.mark.parametrize(
    "name", ["constraints.txt", "environment.yml", "pyproject.toml", "Makefile"]
)
def test_no_index_is_named(name):
    text = (ROOT / name).read_text()
    assert not re.search(r"index-url|find-links|/simple\b|file://", text)
