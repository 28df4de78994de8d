import copy

import pytest
import torch
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpretrain.registry import MODELS
from torch import nn

from mammography.models.layers.domain_batch_norm import DomainBatchNorm2d, batch_domains

MIXED = ["source", "target", "target", "source", "source"]


@pytest.fixture
def values():
    return 1 + 2 * torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))


def layer(**settings):
    torch.manual_seed(1)
    made = DomainBatchNorm2d(3, **settings)
    for parameter in made.parameters():
        nn.init.uniform_(parameter)
    return made


@pytest.fixture
def resnet():
    init_default_scope("mmpretrain")

    def build(**norm):
        torch.manual_seed(0)
        config = {"type": "ResNet", "depth": 18, "in_channels": 1, "base_channels": 4}
        return MODELS.build({**config, "stem_channels": 4, "norm_cfg": norm})

    return build


def test_each_row_is_normalised_with_the_statistics_of_its_domain(values):
    norm = layer()
    reference = {name: copy.deepcopy(norm.domains[name]) for name in ("source", "target")}
    with batch_domains(MIXED):
        out = norm(values)
    for name, own in reference.items():
        rows = [row for row, domain in enumerate(MIXED) if domain == name]
        torch.testing.assert_close(out[rows], own(values[rows]))
        for statistic in ("running_mean", "running_var", "num_batches_tracked"):
            torch.testing.assert_close(
                getattr(norm.domains[name], statistic), getattr(own, statistic)
            )
    norm.eval()
    with batch_domains(MIXED):
        out = norm(values)
    for name, own in reference.items():
        rows = [row for row, domain in enumerate(MIXED) if domain == name]
        torch.testing.assert_close(out[rows], own.eval()(values[rows]))


def test_a_domain_that_is_absent_keeps_its_statistics(values):
    norm = layer()
    state = copy.deepcopy(norm.domains["target"].state_dict())
    with batch_domains(["source"] * 5):
        out = norm(values)
    assert all(torch.equal(state[k], v) for k, v in norm.domains["target"].state_dict().items())
    torch.testing.assert_close(out, layer().domains["source"](values))


def test_crops_of_an_image_go_where_it_goes(values):
    norm, crops = layer(), values.repeat_interleave(3, dim=0)
    with batch_domains(MIXED):
        out = norm(crops)
    owners = [name for name in MIXED for _ in range(3)]
    with batch_domains(owners):
        torch.testing.assert_close(out, layer()(crops))


def test_weights_are_shared_unless_asked_otherwise():
    assert sum(p.numel() for p in layer().parameters()) == 6
    assert sum(p.numel() for p in layer(domain_affine=True).parameters()) == 12
    norm = copy.deepcopy(layer())
    assert norm.domains["target"].weight is norm.domains["source"].weight is norm.weight


@pytest.mark.parametrize("domain_affine", [False, True])
def test_every_parameter_has_a_gradient_also_when_a_domain_is_absent(values, domain_affine):
    """Several processes wait for the gradient of each."""
    said, named = layer(domain_affine=domain_affine), layer(domain_affine=domain_affine)
    named.domain = "target"
    for norm in (said, named):
        with batch_domains(["target"] * 5):
            norm(values).square().sum().backward()
        assert all(p.grad is not None for p in norm.parameters())
        if domain_affine:
            assert not norm.domains["source"].weight.grad.any()
            assert norm.domains["target"].weight.grad.any()


def test_a_named_domain_takes_all_rows(values):
    norm = layer().eval()
    norm.domains["target"].running_mean.fill_(2)
    norm.domain = "target"
    with batch_domains(["source"] * 5):
        torch.testing.assert_close(norm(values), norm.domains["target"](values))


def test_contexts_nest_and_end(values):
    norm = layer()
    with batch_domains(["source"] * 5):
        with batch_domains(["target"] * 5):
            norm(values)
        norm(values)
        norm(values)
    assert [int(norm.domains[d].num_batches_tracked) for d in ("source", "target")] == [2, 1]
    with pytest.raises(ValueError, match=r"must be known, got none: put DomainNormHook into"):
        norm(values)


def test_a_backbone_with_it_is_the_one_with_plain_norms_of_the_domain(resnet):
    plain, ours = resnet(type="BN"), resnet(type="DomainBN")
    assert [n for n, _ in plain.named_children()] == [n for n, _ in ours.named_children()]
    images = torch.rand(2, 1, 32, 32)
    plain(images)  # moves the statistics
    ours.load_state_dict(plain.state_dict())
    plain.eval()
    ours.eval()
    for domain in ("source", "target"):
        with batch_domains([domain] * 2):
            torch.testing.assert_close(ours(images)[0], plain(images)[0])
    assert sum(p.numel() for p in ours.parameters()) == sum(p.numel() for p in plain.parameters())


def test_its_own_checkpoint_keeps_the_domains_apart(resnet):
    ours, again = resnet(type="DomainBN"), resnet(type="DomainBN")
    with batch_domains(["source", "target"]):
        ours(torch.rand(2, 1, 64, 64))
    again.load_state_dict(ours.state_dict())
    source, target = again.bn1.domains.values()
    assert torch.equal(source.running_mean, ours.bn1.domains["source"].running_mean)
    assert not torch.equal(source.running_mean, target.running_mean)


def test_a_checkpoint_that_lacks_a_statistic_is_refused_by_name():
    state = nn.BatchNorm2d(3).state_dict()
    del state["running_var"]
    with pytest.raises(RuntimeError, match=r"domains\.source\.running_var.*domains\.target"):
        layer().load_state_dict(state)


@pytest.mark.parametrize("domain_affine", [False, True])
def test_initialisation_reaches_it(resnet, domain_affine):
    model = resnet(type="DomainBN", domain_affine=domain_affine)
    model.init_weights()
    norm = model.layer1[0].bn1.domains["target"]
    assert torch.equal(norm.weight, torch.ones(4))
    if not domain_affine:  # the last norm of each block starts at zero
        assert not model.layer1[0].bn2.domains["target"].weight.any()


def test_frozen_stages_and_norm_eval_reach_it():
    init_default_scope("mmpretrain")
    settings = {"type": "ResNet", "depth": 18, "norm_cfg": {"type": "DomainBN"}}
    model = MODELS.build({**settings, "frozen_stages": 1, "norm_eval": True})
    model.train()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 40
    assert not any(norm.training for norm in norms)
    assert not any(p.requires_grad for p in model.layer1.parameters())


def test_norms_can_be_synchronised_and_back(values):
    norm = nn.Sequential(layer())
    synced = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(norm))
    assert all(isinstance(each, nn.SyncBatchNorm) for each in synced[0].domains.values())
    assert synced[0].domains["target"].weight is synced[0].domains["source"].weight
    back = revert_sync_batchnorm(copy.deepcopy(synced))
    assert back[0].domains["target"].weight is back[0].domains["source"].weight
    for model in (norm, synced, back):
        model.eval()
    with batch_domains(MIXED):
        torch.testing.assert_close(synced(values), norm(values))
        torch.testing.assert_close(back(values), norm(values))
    assert isinstance(layer(sync=True).domains["source"], nn.SyncBatchNorm)


def test_an_optimizer_with_settings_per_parameter_needs_its_option_for_shared_ones():
    model = nn.Sequential(nn.Conv2d(1, 3, 1), layer())
    config = {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.1, "weight_decay": 0.1}}
    with pytest.raises(ValueError, match="more than one parameter group"):
        build_optim_wrapper(model, config | {"paramwise_cfg": {"norm_decay_mult": 0.0}})
    rules = {"norm_decay_mult": 0.0, "bypass_duplicate": True}
    wrapper = build_optim_wrapper(model, config | {"paramwise_cfg": rules})
    held = [p for group in wrapper.optimizer.param_groups for p in group["params"]]
    assert len(held) == len(list(model.parameters())) == 4


@pytest.mark.parametrize("domains", [(), "source", ("a", "a"), ("a.b",), ("keys", "b")])
def test_names_that_are_no_different_words_are_refused(domains):
    with pytest.raises(ValueError, match="domains must be different words"):
        DomainBatchNorm2d(3, domains=domains)


def test_an_unknown_domain_and_a_wrong_number_of_rows_are_refused(values):
    norm = layer()
    with (
        pytest.raises(ValueError, match="must be one of source, target, got 'elsewhere'"),
        batch_domains(["elsewhere"] * 5),
    ):
        norm(values)
    with (
        pytest.raises(ValueError, match=r"as many for each of the 2 images .* got 5 rows"),
        batch_domains(["source", "target"]),
    ):
        norm(values)
