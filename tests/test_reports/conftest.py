"""An invented run and its page, made once."""

import pytest

from mammography.reports.run_report import write_run_report
from test_reports.invented_run import write_run


@pytest.fixture(scope="session")
def run_dir(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("invented"))


@pytest.fixture(scope="session")
def page(run_dir, tmp_path_factory):
    out = tmp_path_factory.mktemp("page") / "page.html"
    return write_run_report(run_dir, out).read_text(encoding="utf-8")
