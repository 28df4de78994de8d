from types import SimpleNamespace

import pytest
import torch
from mmpretrain.structures import DataSample
from torch import nn

from mammography.engine.hooks.domain_norm_hook import DomainNormHook
from mammography.models.layers.domain_batch_norm import DomainBatchNorm2d
from norm_cases import build, norm_config, predictions

NORM = {"model.backbone.norm_cfg.type": "DomainBN"}


def hook(**settings):
    return {"type": "DomainNormHook", **settings}


def apart(runner):
    """Let the statistics of the target be others than those of the source."""
    for module in runner.model.modules():
        if isinstance(module, DomainBatchNorm2d):
            module.domains["target"].running_mean.add_(0.5)


def scores(folder, hooks, domain=None):
    changes = {"test_dataloader.dataset": {"type": "TwoLooks", "domain": domain}}
    runner = build(norm_config(folder, hooks, **changes, **NORM))
    apart(runner)
    runner.test()
    layers = [m for m in runner.model.modules() if isinstance(m, DomainBatchNorm2d)]
    assert all(layer.domain is None for layer in layers)
    return predictions(runner)


def test_images_are_normalised_by_the_domain_that_they_name(tmp_path):
    ours = scores(tmp_path / "a", [hook()], domain="target")
    named = scores(tmp_path / "b", [hook(domain="target")], domain="target")
    other = scores(tmp_path / "c", [hook(domain="source")], domain="target")
    torch.testing.assert_close(ours, named)
    assert not torch.allclose(ours, other, atol=1e-3)
    mixed = scores(tmp_path / "d", [hook()])
    assert mixed.shape == ours.shape


def test_a_joint_training_moves_the_statistics_of_both_domains(tmp_path):
    """Also with validations of one domain between its epochs."""
    cfg = norm_config(
        tmp_path, [hook(when=("train",)), hook(domain="target", when=("val",))], **NORM
    )
    runner = build(cfg)
    norm = runner.model.backbone.bn1
    before = {name: each.running_mean.clone() for name, each in norm.domains.items()}
    runner.train()
    after = {name: each.running_mean for name, each in norm.domains.items()}
    moved = {name: after[name] - before[name] for name in before}
    assert all(change.any() for change in moved.values())
    assert not torch.equal(moved["source"], moved["target"])
    assert norm.domain is None


@pytest.mark.parametrize("statistics", ["batch", "target", "mixed", "entropy"])
def test_statistics_are_chosen_for_the_domain(tmp_path, statistics):
    """Those of the images; the other domain's norms have nothing to do with it."""
    chosen = {"type": "NormStatisticsHook", "statistics": statistics}
    ours = scores(tmp_path / "a", [hook(domain="target"), chosen], domain="target")
    plain = scores(tmp_path / "b", [hook(domain="target")], domain="target")
    assert not torch.allclose(ours, plain, atol=1e-3)


def test_entropy_is_learned_from_batches_of_both_domains(tmp_path):
    chosen = {"type": "NormStatisticsHook", "statistics": "entropy"}
    ours = scores(tmp_path, [hook(), chosen])
    assert ours.isfinite().all()


def runner_of(*layers):
    return SimpleNamespace(model=nn.Sequential(*layers))


def test_a_fixed_domain_of_an_inner_validation_does_not_end_the_outer_one():
    layer = DomainBatchNorm2d(2)
    runner, ours = runner_of(layer), DomainNormHook("target", when=("train", "val"))
    ours.before_train_epoch(runner)
    ours.before_val_epoch(runner)
    ours.after_val_epoch(runner)
    assert layer.domain == "target"
    ours.after_train_epoch(runner)
    assert layer.domain is None


def test_versions_of_an_image_share_its_domain():
    layer, ours = DomainBatchNorm2d(1), DomainNormHook()
    versions = [[DataSample(metainfo={"domain": name}) for name in ("source", "target")]] * 2
    ours.before_test_iter(runner_of(layer), 0, {"data_samples": versions})
    assert layer(torch.rand(2, 1, 2, 2)).shape == (2, 1, 2, 2)
    ours.after_test_epoch(runner_of(layer))
    with pytest.raises(ValueError, match="must be known"):
        layer(torch.rand(2, 1, 2, 2))


def test_a_sample_that_names_no_domain_is_refused_by_name():
    batch = {"data_samples": [DataSample(metainfo={"img_path": "images/7.png"})]}
    with pytest.raises(ValueError, match=r"images/7\.png: .* the domain of each sample, got none"):
        DomainNormHook().before_train_iter(runner_of(DomainBatchNorm2d(2)), 0, batch)


def test_a_model_or_a_domain_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"got none: build it with norm_cfg=dict\(type='DomainBN'"):
        DomainNormHook("target").before_run(runner_of(nn.BatchNorm2d(2)))
    with pytest.raises(ValueError, match="domain must be one of source, target, got 'elsewhere'"):
        DomainNormHook("elsewhere").before_run(runner_of(DomainBatchNorm2d(2)))
    with pytest.raises(ValueError, match="when must be some of"):
        DomainNormHook("target", when="test")


def test_a_training_that_an_error_cuts_short_names_no_domain_for_the_next_run():
    layer = DomainBatchNorm2d(2)
    runner, ours = runner_of(layer), DomainNormHook("source", when=("train",))
    ours.before_train_epoch(runner)
    ours.before_run(runner)  # of a test; the training never ended
    assert layer.domain is None


def test_mixed_statistics_of_several_domains_in_a_batch_are_refused(tmp_path):
    """The number of images that a domain's statistics are of is not that of the batch."""
    chosen = {"type": "NormStatisticsHook", "statistics": "mixed"}
    with pytest.raises(ValueError, match="mixed statistics need all 4 images of the batch"):
        scores(tmp_path, [hook(), chosen])
