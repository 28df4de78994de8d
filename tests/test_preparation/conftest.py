import pytest

from mammography.preparation.dataset import prepare_dataset
from mammography.preparation.study import DatasetOptions
from table_study import TASKS, write_table_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return write_table_study(tmp_path_factory.mktemp("source") / "study")


@pytest.fixture(scope="module")
def salt_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("secret") / "salt"
    path.write_text("ab" * 32)
    return path


@pytest.fixture
def prepare(study, salt_file):
    def run(out, root=study, overwrite=False, **options):
        names = ("workers", "scheduler", "shard", "cache")
        how = {name: options.pop(name) for name in names if name in options}
        chosen = DatasetOptions(**{"tasks": TASKS, "salt_file": salt_file} | options)
        return prepare_dataset("table", out, root, chosen, overwrite=overwrite, **how)

    return run
