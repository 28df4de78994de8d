import pkgutil
import subprocess
import sys

import mmpretrain.registry
import pytest
from mmengine.registry import Registry

import mammography.plugin

REGISTRIES = [r for r in vars(mmpretrain.registry).values() if isinstance(r, Registry)]
OURS = [
    pytest.param(registry, name, id=f"{registry.name}/{name}")
    for registry in REGISTRIES
    for name, component in registry.module_dict.items()
    if component.__module__.startswith("mammography.")
]


def test_every_module_below_the_registered_packages_is_imported():
    for name in mammography.plugin.REGISTERED:
        package = sys.modules[f"mammography.{name}"]
        modules = list(pkgutil.walk_packages(package.__path__, f"{package.__name__}."))
        assert modules
        assert all(module.name in sys.modules for module in modules)


def test_the_parts_that_configs_name_are_there():
    names = {param.values[1] for param in OURS}
    assert {
        "AverageNormStatisticsHook",
        "CpuAmpOptimWrapper",
        "DumpFeatures",
        "DumpPredictions",
        "HaltOnNonFiniteLossHook",
        "MaskedMultiTaskHead",
        "MultiTaskMetric",
        "MultiTaskTTAModel",
        "ReproducibleEpochLoop",
        "WeightSamplesModel",
    } <= names


@pytest.mark.parametrize(("registry", "name"), OURS)
def test_no_component_hides_one_of_mmengine_or_mmcv(registry, name):
    assert registry.parent.get(name) is None


@pytest.mark.parametrize("module", ["mammography", "mammography.structures", "mammography.terms"])
def test_the_package_itself_loads_neither_torch_nor_mmpretrain(module):
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'mmpretrain'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
