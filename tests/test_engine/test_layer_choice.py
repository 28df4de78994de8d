import pytest
from mmengine.model import revert_sync_batchnorm
from mmpretrain.models import ResNet
from torch import nn

from mammography.engine.layer_choice import check_patterns, find_layers
from mammography.models.layers.domain_batch_norm import DomainBatchNorm2d

SETTINGS = {"depth": 18, "in_channels": 1, "base_channels": 4, "stem_channels": 4}


@pytest.fixture(scope="module")
def model():
    return ResNet(**SETTINGS)


def choose(model, names=(), types=None):
    return list(find_layers(model, names, types, "here"))


def test_a_name_is_the_whole_name_or_an_expression_that_matches_the_whole_name(model):
    assert choose(model, ["layer4.1.bn2"]) == ["layer4.1.bn2"]
    assert choose(model, [r"layer4\.\d\.bn2", "bn1"]) == ["bn1", "layer4.0.bn2", "layer4.1.bn2"]


@pytest.mark.parametrize("norm", ["BN", "SyncBN"])
@pytest.mark.parametrize("kind", ["BatchNorm2d", "BatchNorm"])
def test_batch_norms_are_found_synchronised_or_not(norm, kind):
    model = ResNet(**SETTINGS, norm_cfg={"type": norm})
    assert len(choose(model, types=[kind])) == 20
    assert len(choose(revert_sync_batchnorm(model), types=[kind])) == 20


def test_batch_norms_of_vectors_are_batch_norms_but_not_of_images():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm2d(2), nn.LayerNorm(2))
    assert choose(model, types=["BatchNorm"]) == ["0", "1"]
    assert choose(model, types=["BatchNorm2d"]) == ["1"]


def test_the_norms_of_all_domains_are_found():
    names = choose(nn.Sequential(DomainBatchNorm2d(2)), types=["BatchNorm2d"])
    assert names == ["0.domains.source", "0.domains.target"]


def test_names_and_types_must_both_fit(model):
    assert choose(model, [r"layer4\.1\..*"], ["Conv2d"]) == ["layer4.1.conv1", "layer4.1.conv2"]


def test_a_name_that_matches_nothing_is_refused_with_names_like_it(model):
    with pytest.raises(ValueError, match=r"here: layers must match .*'layer4.1.bn3': there .*bn2"):
        choose(model, ["layer4.1.bn3"])
    with pytest.raises(ValueError, match=r"got 'layer4.1.bn': there is .*bn2"):
        choose(model, ["layer4.1.bn"])
    with pytest.raises(ValueError, match="there is conv1, bn1, relu, maxpool, layer1"):
        choose(model, ["zzz"])


def test_a_name_of_another_type_says_which_it_is(model):
    with pytest.raises(ValueError, match=r"types BatchNorm2d, got 'conv1', which is Conv2d: name"):
        choose(model, ["conv1"], ["BatchNorm2d"])


def test_a_type_that_the_model_has_not_is_refused_with_those_it_has(model):
    with pytest.raises(ValueError, match=r"types must be .*Conv2d, .*got 'LayerNorm'"):
        choose(model, types=["BatchNorm2d", "LayerNorm"])


def test_patterns_are_several_expressions():
    with pytest.raises(ValueError, match="here must be several strings, got 'bn1'"):
        check_patterns("bn1", "here")
    with pytest.raises(ValueError, match=r"here must be regular expressions, got '\('"):
        check_patterns(["("], "here")
