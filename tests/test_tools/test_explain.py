import importlib.util
from pathlib import Path

import pytest

from mammography.apis.explaining.attributions import METHODS

PATH = Path(__file__).parents[2] / "tools" / "explain.py"


@pytest.fixture
def tool():
    spec = importlib.util.spec_from_file_location("explain_tool", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_offers_every_method(tool):
    assert tool.METHODS == METHODS


def test_an_error_is_a_line_not_a_traceback(tool, tmp_path):
    with pytest.raises(SystemExit, match=r"explain.py: .*nowhere.py"):
        tool.main(
            [*("nowhere.py", "w.pth", "a.json", "--task", "malignant"), "--out", str(tmp_path)]
        )
