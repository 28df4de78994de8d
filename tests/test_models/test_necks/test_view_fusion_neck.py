import pytest
import torch

from mammography.models.necks.view_fusion_neck import ViewFusionNeck

FOUR = [
    {"laterality": side, "view_position": view} for side in ("L", "R") for view in ("CC", "MLO")
]


@pytest.fixture
def neck():
    torch.manual_seed(0)
    return ViewFusionNeck(in_channels=16, num_heads=4, depth=2).eval()


def feats(count, seed=1):
    return torch.rand(count, 16, generator=torch.Generator().manual_seed(seed))


def test_a_case_alone_gives_what_it_gives_beside_a_case_with_more_views(neck):
    x = feats(7)
    cases = [FOUR[:2], FOUR, FOUR[3:]]
    together = neck(x, cases)
    alone = [neck(part, [case]) for part, case in zip(x.split([2, 4, 1]), cases, strict=True)]
    assert torch.allclose(together, torch.cat(alone), atol=1e-6)


def test_the_order_of_the_views_does_not_matter(neck):
    x, order = feats(4), [2, 0, 3, 1]
    assert torch.allclose(neck(x, [FOUR]), neck(x[order], [[FOUR[i] for i in order]]), atol=1e-6)


def test_which_view_it_is_matters(neck):
    x = feats(4)
    mirrored = [view | {"laterality": {"L": "R", "R": "L"}[view["laterality"]]} for view in FOUR]
    assert not torch.allclose(neck(x, [FOUR]), neck(x, [mirrored]), atol=1e-4)


def test_a_missing_view_is_not_a_view_of_zeros(neck):
    x = feats(4)
    assert not torch.allclose(
        neck(x[:3], [FOUR[:3]]), neck(torch.cat([x[:3], 0 * x[3:]]), [FOUR]), atol=1e-4
    )


def test_an_extra_view_and_one_of_unknown_kind_are_taken(neck):
    unknown = [{"laterality": None, "view_position": "SPECIAL"}]
    assert neck(feats(6), [FOUR + FOUR[:1] + unknown]).isfinite().all()
    absent = [{"laterality": None, "view_position": None}]
    assert torch.equal(neck(feats(1), [unknown]), neck(feats(1), [absent]))


def test_no_gradient_reaches_a_case_from_another(neck):
    x = feats(6).requires_grad_()
    neck(x, [FOUR, FOUR[:2]])[0, 0].backward()
    assert x.grad[:4].abs().sum() > 0
    assert x.grad[4:].abs().sum() == 0


def test_training_and_evaluation_agree_without_dropout():
    neck = ViewFusionNeck(in_channels=16, embed_dims=8, num_heads=2, drop_rate=0.0)
    x, cases = feats(5), [FOUR, FOUR[:1]]
    assert torch.allclose(neck.train()(x, cases), neck.eval()(x, cases), atol=1e-6)


def test_vectors_that_do_not_match_the_views_are_refused(neck):
    with pytest.raises(ValueError, match=r"got 3 vectors for cases of \[4\] views"):
        neck(feats(3), [FOUR])
    with pytest.raises(ValueError, match=r"cases of \[4, 0\] views"):
        neck(feats(4), [FOUR, []])


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ValueError, match="num_heads must divide embed_dims, got 3 and 16"):
        ViewFusionNeck(in_channels=16, num_heads=3)
