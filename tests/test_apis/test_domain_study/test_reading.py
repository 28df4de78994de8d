"""A study file says what it must, or an error says where it does not."""

import shutil
from textwrap import dedent

import pytest

from domain_study_case import write_study_file
from mammography.apis import domain_study
from mammography.apis.config import UsageError
from mammography.apis.domain_study.plan import make_plan
from mammography.apis.domain_study.reading import read_study
from mammography.apis.domain_study.study import StatisticsHook
from mammography.terms import Level

PLAIN = {"config": "configs/small.py"}


@pytest.fixture
def write(repository, monkeypatch):
    monkeypatch.chdir(repository)

    return lambda text="", **settings: write_study_file(
        repository, text, **{"statistics": None, "repeats": None} | settings
    )


def test_a_short_study_means_breasts_running_statistics_and_one_seed(write):
    study = read_study(write())
    assert study.outcome.task == "malignant"
    assert study.outcome.level is Level.BREAST
    assert (study.outcome.pooling, study.outcome.reference) == ("mean", "running")
    assert study.outcome.repeats == 2000
    assert study.outcome.measures == ("roc_auc", "pr_auc", "average_precision")
    assert study.outcome.reference_model == ""
    assert (study.seeds, study.statistics, list(study.inputs)) == ((0,), {"running": ()}, [""])
    assert study.models["plain"].sources == (("near",),)
    assert study.domains["far"].files["test"] == {"ann_file": "annotations/test.json"}
    assert study.domains["far"].files["adapt"] == {"ann_file": "annotations/train.json"}


def test_the_example_of_the_documentation_is_a_study(root):
    text = dedent(domain_study.__doc__.split("::\n", 1)[1])
    (root / "configs/adaptation").mkdir()
    for name in ("plain", "dann"):
        shutil.copy(root / "configs/small.py", root / f"configs/adaptation/{name}.py")
    (root / "weights").mkdir()
    (root / "weights/published.pth").touch()
    for name, domain in (("near", "home"), ("far", "away")):
        (root / f"dataset/{name}").rename(root / f"dataset/{domain}")
    path = root / "example.py"
    path.write_text(text)
    study = read_study(path)
    assert set(study.models) == {"source_only", "bn_fc", "dann", "published"}
    with pytest.raises(UsageError, match=r"models\.dann: adapt_to .* no data set of the target"):
        make_plan(study)  # as its config is that of the other model here
    path.write_text(text.replace('adapt_to="away",', ""))
    assert len(make_plan(read_study(path))) == 2 * (2 + 1 + 2 + 1)


def test_sources_may_be_joined_in_two_ways(write):
    study = read_study(write(sources=["near", "near+far", ["far", "near"]]))
    assert study.models["plain"].sources == (("near",), ("near", "far"), ("far", "near"))


def test_a_study_is_changed_by_dotted_names_and_may_have_helpers(write):
    path = write("_epochs = 3\noptions = {'train_cfg.max_epochs': _epochs}")
    study = read_study(path, {"seeds": [0, 1], "options.optim_wrapper.optimizer.lr": 0.5})
    assert study.seeds == (0, 1)
    (training, _) = make_plan(study)
    assert training.config.train_cfg.max_epochs == 3
    assert training.config.optim_wrapper.optimizer.lr == 0.5


def test_the_hook_of_statistics_is_named_only_when_it_is_another(write):
    statistics = {
        "running": None,
        "adabn": {"statistics": "target", "images": "adapt"},
        "both": [{"type": "DomainNormHook", "domain": "target"}, {"statistics": "batch"}],
    }
    found = read_study(write(statistics=statistics)).statistics
    hook = {"type": "NormStatisticsHook", "statistics": "target"}
    assert found["adabn"] == (StatisticsHook(hook, "adapt"),)
    assert [told.hook["type"] for told in found["both"]] == ["DomainNormHook", "NormStatisticsHook"]


def test_a_study_is_found_with_its_data_from_any_folder(write, tmp_path, monkeypatch):
    path = write()
    (path.parent / "work_dirs").mkdir(exist_ok=True)
    names = [training.name for training in make_plan(read_study(path))]
    monkeypatch.chdir(tmp_path)
    assert [training.name for training in make_plan(read_study(path))] == names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": {}}, r"small_study\.py: model has no meaning, did you mean models"),
        ({"targets": None}, r"small_study\.py: targets must be given"),
        ({"targets": ["near", "fra"]}, r"targets\[1\] must be one of near, far, got 'fra'"),
        ({"targets": ["near", "near"]}, "targets must name each only once"),
        ({"sources": None}, "sources must be given, by the model or for all"),
        ({"sources": ["near+fra"]}, r"sources\[0\]\[1\] must be one of near, far, got 'fra'"),
        ({"models": {"a": PLAIN | {"option": {}}}}, "models.a: option has no meaning, .* options"),
        ({"models": {"a": {"config": "gone.py"}}}, "models.a.config must be there, got 'gone.py'"),
        ({"models": {"a b": PLAIN}}, "a name must be of letters, .* got 'a b'"),
        ({"models": []}, "models must be a dict from names to settings"),
        ({"models": {"a": PLAIN | {"adapt_to": "fra"}}}, "models.a.adapt_to must be one of"),
        ({"models": {"a": PLAIN | {"statistics": ["tt"]}}}, r"a.statistics\[0\] .* running"),
        ({"models": {"a": PLAIN | {"start": "b"}}}, "models.a.start must be one of a, got 'b'"),
        ({"models": {"a": PLAIN | {"start": {"modle": "a"}}}}, "a.start: modle has no meaning"),
        (
            {"models": {"a": PLAIN | {"checkpoint": "w.pth", "sources": ["near"]}}},
            "checkpoint is of a model that was trained elsewhere: drop it, or sources",
        ),
        ({"models": {"a": PLAIN | {"checkpoint": "w.pth"}}}, "a.checkpoint must be there"),
        ({"domains": {"near": {"data_root": "gone"}}}, "domains.near.data_root must be there"),
        ({"domains": {"near": {"root": "x"}}}, "domains.near: root has no meaning"),
        ({"domains": {"a+b": {"data_root": "dataset/near"}}}, "a name must be of letters"),
        (
            {"domains": {"near": {"data_root": "dataset/near", "test": {"indices": 3}}}},
            "domains.near.test must name its ann_file",
        ),
        ({"statistics": {"tt": {"images": "all"}}}, "tt.images must be one of test, adapt"),
        ({"statistics": {"tt": None}}, "reference must be one of tt, got 'running'"),
        ({"level": "patch"}, "level must be one of image, breast, exam, patient, got 'patch'"),
        ({"pooling": "median"}, "pooling must be one of mean, max, noisy_or"),
        ({"seeds": [1.5]}, r"seeds\[0\] must be a whole number from 0 on, got 1.5"),
        ({"reference_model": "gone"}, "reference_model must be one of plain, got 'gone'"),
        ({"measures": ["auc"]}, r"measures\[0\] must be one of roc_auc, .* got 'auc'"),
        ({"repeats": 0}, "repeats must be a whole number from 1 on"),
        ({"inputs": {"z": {"transform": []}}}, "inputs.z: transform has no meaning"),
        ({"options": [1]}, "options must be a dict"),
    ],
)
def test_a_wrong_study_is_refused_with_the_place(write, settings, message):
    with pytest.raises(UsageError, match=message):
        read_study(write(**settings))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"options": {"optim.lr": 1}}, r"small_study\.py: options optim: must begin with a key"),
        (
            {"models": {"a": PLAIN | {"options": {"val_evaluator.7.type": "X"}}}},
            r"small_study\.py: models\.a\.options",
        ),
        (
            {"models": {"a": PLAIN | {"adapt_to": "far"}}},
            "models.a: adapt_to must name a hospital if, and only if, .* no data set",
        ),
        (
            {"models": {"a": PLAIN | {"options": {"test_evaluator.0.type": "Accuracy"}}}},
            "models.a: the config must have a MultiTaskMetric",
        ),
        (
            {"models": {"a": PLAIN | {"options": {"test_dataloader": None}}}},
            "models.a: the config must have a test_dataloader",
        ),
        (
            {"models": {"a": PLAIN | {"start": "b"}, "b": PLAIN | {"start": "a"}}},
            "models.a.start: models must not start from each other in a circle",
        ),
        (
            {"models": {"a": PLAIN | {"start": "b"}, "b": PLAIN | {"sources": ["far"]}}},
            "models.a.start: b must be trained on near, it is trained on far: name the source",
        ),
        (
            {"statistics": {"running": None, "tt": {"statistics": "batches"}}},
            r"statistics\.tt: .*must be one of running, batch",
        ),
        (
            {"statistics": {"running": None, "tt": {"statistics": "batch", "prior": 3}}},
            r"statistics\.tt: .*prior",
        ),
        ({"statistics": {"running": None, "tt": {"type": "NoHook"}}}, r"statistics\.tt: .*NoHook"),
        (
            {"domains": {"near": {"data_root": "dataset/near", "test": "annotations/t.json"}},
             "targets": ["near"]},
            r"domains\.near: dataset/near/annotations/t\.json does not exist",
        ),
        (
            {"domains": {"near": {"data_root": "dataset/near", "train": "annotations/t.json"}},
             "targets": ["near"]},
            r"models\.plain: dataset/near/annotations/t\.json does not exist",
        ),
        ({"task": "benign"}, r"test\.json: must have the binary task benign, got malignant"),
        (
            {"inputs": {"z": {"transforms": [{"type": "X"}]}},
             "options": {"train_dataloader.dataset.pipeline": []}},
            r"inputs\.z: transforms need a PackMammogram in train_dataloader",
        ),
    ],
)  # fmt: skip
def test_what_would_fail_after_hours_is_refused_before(write, settings, message):
    with pytest.raises(UsageError, match=message):
        make_plan(read_study(write(**settings)))


@pytest.mark.parametrize("text", ["1 +", "x = y", "models = {}\nmodels['a']"])
def test_a_file_that_is_no_python_is_refused(write, text):
    with pytest.raises(UsageError, match=r"small_study\.py: "):
        read_study(write(text))


def test_a_missing_study_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"study .*gone\.py does not exist"):
        read_study(tmp_path / "gone.py")
