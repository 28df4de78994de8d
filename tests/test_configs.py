"""Every config says in its name and its docstring what it does, and builds."""

import ast
import re
from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mammography.apis.domain_study.reading import read_study

CONFIG_ROOT = Path(__file__).parents[1] / "configs"
STUDIES = sorted((CONFIG_ROOT / "studies").glob("*.py"))
CONFIGS = sorted(p for p in CONFIG_ROOT.rglob("*.py") if not {"_base_", "studies"} & {*p.parts})
WORD = r"[a-z0-9]+(?:-[a-z0-9]+)*"
NAME = re.compile(
    rf"(?P<model>{WORD}_(?:{WORD}_)*?)(?:(?P<pretrain>{WORD})-pre_)?"  # algorithm, module, weights
    rf"(?P<gpus>\d+)xb(?P<batch>\d+)-(?P<recipe>{WORD})-(?P<epochs>\d+)e_"  # training
    rf"(?P<data>[a-z0-9-]+?)-(?:(?P<height>\d+)x)?(?P<width>\d+)px"  # source, level, size
)
SCHEDULES = {"coslr": "CosineAnnealingLR", "steplr": "StepLR", "onecycle": "OneCycleLR"}


def name_of(path: Path) -> dict[str, str]:
    """Return the parts of a config's name."""
    match = NAME.fullmatch(path.stem)
    assert match, f"{path.name}: see the name convention in configs/README.md"
    return match.groupdict()


def sizes(pipeline: list[dict]) -> list[tuple[int, int]]:
    """Return the sizes that the transforms of a pipeline give out."""
    found = []
    for step in pipeline:
        if "size_hw" in step:
            found.append(tuple(step["size_hw"]))
        inner = step.get("transforms", [])
        for branch in inner:
            found += sizes(branch if isinstance(branch, list) else [branch])
    return found


def datasets(loader: dict) -> list[dict]:
    """Return the data sets of a loader that read images."""
    return loader.dataset.get("datasets", [loader.dataset])


@pytest.fixture(params=CONFIGS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def path(request) -> Path:
    return request.param


def test_there_are_configs():
    assert {p.parent.name for p in CONFIGS} >= {"pretrain", "multi_task", "demo"}


def test_the_name_is_what_is_inside(path):
    name, cfg = name_of(path), Config.fromfile(path)
    recipe = name["recipe"].split("-")
    assert cfg.train_dataloader.batch_size == int(name["batch"])
    assert cfg.train_cfg.max_epochs == int(name["epochs"])
    assert (cfg.optim_wrapper.type == "AmpOptimWrapper") == ("amp" in recipe)
    schedulers = cfg.param_scheduler
    schedulers = [schedulers] if isinstance(schedulers, dict) else schedulers
    if recipe[-1] in ("constlr", "staged"):
        assert not schedulers
    else:
        assert any(s["type"].endswith(SCHEDULES[recipe[-1]]) for s in schedulers)
    hooks = cfg.get("custom_hooks", [])
    stages = [s for h in hooks if h["type"] == "StagedTrainingHook" for s in h["stages"]]
    assert ("staged" in recipe) == bool(stages)
    assert not stages or sum(stage["epochs"] for stage in stages) == int(name["epochs"])
    frozen = [h for h in hooks if h["type"] == "SelectTrainableHook"]
    assert ("bnfc" in recipe) == any(
        tuple(h.get("freeze_types", ())) == ("Conv2d",) for h in frozen
    )
    assert ("partial" in recipe) == any(h.get("freeze_groups") for h in frozen)
    accumulated = [word for word in recipe if word.startswith("acc")]
    counts = cfg.optim_wrapper.get("accumulative_counts", 1)
    assert accumulated == ([f"acc{counts}"] if counts > 1 else [])
    assert name["model"].startswith("dann_") == (cfg.model.type == "DomainAdversarialClassifier")
    size = (int(name["height"] or name["width"]), int(name["width"]))
    assert all(size in sizes(dataset.pipeline) for dataset in datasets(cfg.train_dataloader))
    if cfg.get("test_dataloader"):
        assert all(sizes(one.pipeline) == [size] for one in datasets(cfg.test_dataloader))


def test_the_weights_it_starts_from_are_in_the_name(path):
    hooks = Config.fromfile(path).get("custom_hooks", [])
    loads = any(hook["type"] == "LoadPretrainedHook" for hook in hooks)
    assert loads == (name_of(path)["pretrain"] is not None)


def test_the_parts_it_names_exist_and_build(path):
    from mmpretrain.registry import DATASETS, MODELS, TRANSFORMS

    import mammography.plugin  # noqa: F401

    init_default_scope("mmpretrain")  # MultiView builds its transforms in the default scope
    cfg = Config.fromfile(path)
    MODELS.build(cfg.model)
    for loader in ("train_dataloader", "val_dataloader", "test_dataloader"):
        if cfg.get(loader):
            for dataset in datasets(cfg[loader]):
                assert DATASETS.get(dataset.type), dataset.type
                for step in dataset.pipeline:
                    TRANSFORMS.build(step)


def test_it_reads_as_a_document(path):
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text)) or ""
    assert len(text.splitlines()) <= 60
    assert "tools/" in docstring or "make demo" in docstring, "the docstring must give the command"
    assert path.stem in docstring or "make demo" in docstring


def test_it_has_a_row_in_the_table(path):
    table = (CONFIG_ROOT / "README.md").read_text()
    assert f"{path.parent.name}/{path.name}" in table


def test_the_table_names_no_config_that_is_gone():
    rows = re.findall(r"\]\(([a-z_]+/[^)]+\.py)\)", (CONFIG_ROOT / "README.md").read_text())
    assert sorted(rows) == sorted(str(p.relative_to(CONFIG_ROOT)) for p in CONFIGS + STUDIES)


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: p.stem)
def test_a_study_names_configs_that_exist_and_reads_without_its_data(path, tmp_path, monkeypatch):
    given = Config.fromfile(path)
    (tmp_path / "study" / "dataset").mkdir(parents=True)
    for domain in given.domains.values():
        (tmp_path / "study" / domain.data_root).mkdir()
    monkeypatch.chdir(tmp_path / "study")
    study = read_study(path)
    assert set(study.targets) <= set(study.domains)
    assert all(model.config.is_file() for model in study.models.values())
    assert f"tools/run_domain_study.py configs/studies/{path.name}" in path.read_text()


@pytest.mark.parametrize("path", STUDIES, ids=lambda p: p.stem)
def test_a_study_has_its_place_in_the_table(path):
    assert f"studies/{path.name}" in (CONFIG_ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "name",
    [
        "resnet50w_2xb256-amp-coslr_mammo-patch-224px",
        "resnet50w-transformer_1xb72-steplr-30e_lnm-image",
        "ResNet50_1xb72-steplr-30e_lnm-image-1792x1024px",
    ],
)
def test_a_name_outside_the_convention_is_seen(name):
    assert not NAME.fullmatch(name)


def test_validation_and_test_see_images_of_the_size_of_training_and_every_one_of_them(path):
    """A published system trained at 320, validated at 384 and dropped the last batch."""
    cfg = Config.fromfile(path)
    trained = {size for data in datasets(cfg.train_dataloader) for size in sizes(data.pipeline)}
    for name in ("val_dataloader", "test_dataloader"):
        if loader := cfg.get(name):
            assert not loader.get("drop_last", False)
            for data in datasets(loader):
                assert set(sizes(data.pipeline)) <= trained
