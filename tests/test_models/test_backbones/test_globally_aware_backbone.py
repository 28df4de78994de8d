import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS

from globally_aware_cases import small_model
from mammography.functional.saliency import scale_to_unit
from mammography.models.backbones.globally_aware_backbone import GloballyAwareBackbone
from mammography.models.layers.domain_batch_norm import batch_domains

GLOBAL = {"type": "PreActivationResNet"}
LOCAL = {"type": "ResNet", "depth": 18, "in_channels": 1}


@pytest.fixture
def backbone():
    return small_model().backbone


@pytest.fixture
def images():
    torch.manual_seed(1)
    return torch.rand(4, 1, 64, 48)


def test_gives_saliency_corners_crops_and_global_features_of_the_published_shapes():
    backbone = GloballyAwareBackbone(GLOBAL, LOCAL)
    backbone.eval()
    with torch.no_grad():
        feats = backbone(torch.rand(1, 1, 2944, 1920))
    assert [tuple(each.shape) for each in feats] == [
        (1, 2, 46, 30),
        (1, 6, 2),
        (1, 6, 512),
        (1, 256),
    ]


def test_at_the_published_size_windows_are_4_x_4_and_crops_start_at_multiples_of_64():
    backbone = GloballyAwareBackbone(GLOBAL, LOCAL)
    saliency = torch.full((1, 2, 46, 30), -8.0)
    saliency[0, 0, 10:14, 20:24] = 3.0  # benign
    saliency[0, 1, 42:46, 26:30] = -2.0  # malignant: faint, but the most of its own map
    saliency[0, 1, 11, 21] = -3.0
    corners = backbone.choose_crops(saliency, (2944, 1920))
    assert corners[0, :2].tolist() == [[640, 1280], [2688, 1664]]


def test_each_part_is_what_the_networks_say(backbone, images):
    backbone.eval()
    saliency, corners, crops, maxima = backbone(images)
    (features,) = backbone.global_network(images)
    torch.testing.assert_close(maxima, features.flatten(2).max(2).values)
    weights = backbone.saliency.weight[:, :, 0, 0]
    torch.testing.assert_close(saliency, torch.einsum("nchw,kc->nkhw", features, weights))
    for n, image in enumerate(images):
        for k, (row, column) in enumerate(corners[n]):
            crop = image[None, :, row : row + 16, column : column + 16]
            (local,) = backbone.local_network(crop)
            torch.testing.assert_close(crops[n, k], local[0].mean((1, 2)))


def test_the_first_crop_is_where_the_saliency_is_largest(backbone, images):
    backbone.eval()
    saliency, corners, *_ = backbone(images)
    height, width = saliency.shape[2:]
    evidence = scale_to_unit(saliency.sigmoid()).sum(1)
    for n, (row, column) in enumerate(corners[:, 0]):
        top, left = (row * height / 64).round().int(), (column * width / 48).round().int()
        window = evidence[n, top : top + 2, left : left + 2].mean()
        every = torch.nn.functional.avg_pool2d(evidence[n][None], 2, stride=1)
        assert window == every.max()


def test_an_image_is_seen_alone_as_in_a_batch(backbone, images):
    backbone.eval()
    together = backbone(images)
    for row in range(len(images)):
        alone = backbone(images[[row]])
        for ours, theirs in zip(alone, together, strict=True):
            torch.testing.assert_close(ours[0], theirs[row])


def test_the_choice_gives_no_gradient_to_the_saliency(backbone, images):
    _, _, crops, maxima = backbone(images)
    crops.sum().backward(retain_graph=True)
    assert all(p.grad is None for p in backbone.global_network.parameters())
    maxima.sum().backward()
    assert backbone.saliency.weight.grad is None


@pytest.mark.parametrize("size", [(64, 48), (63, 50), (97, 131), (16, 200)])
def test_takes_images_of_any_size_that_a_crop_fits_into(backbone, size):
    backbone.eval()
    _, corners, *_ = backbone(torch.rand(2, 1, *size))
    assert corners.min() >= 0
    assert (corners + 16 <= torch.tensor(size)).all()


def test_crops_of_one_channel_can_feed_a_network_of_colour_images(images):
    def networks(channels: int) -> GloballyAwareBackbone:
        torch.manual_seed(0)
        return GloballyAwareBackbone(
            GLOBAL, LOCAL | {"in_channels": channels}, crop_size_hw=(32, 32), crop_channels=channels
        )

    grey, colour = networks(1), networks(3)
    weights = colour.double().state_dict()
    weights["local_network.conv1.weight"] = weights["local_network.conv1.weight"].sum(1, True)
    grey.double().load_state_dict(weights)
    images = images.repeat(1, 1, 2, 2).double()
    for ours, theirs in zip(grey(images), colour(images), strict=True):
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(
    ("config", "channels"),
    [
        ({"type": "ResNet", "depth": 50, "in_channels": 1}, 2048),
        (
            {"type": "ConvNeXt", "arch": "atto", "in_channels": 1, "gap_before_final_norm": False},
            320,
        ),
    ],
)
def test_other_backbones_can_look_at_the_whole_image(config, channels):
    backbone = MODELS.build(
        {
            "type": "GloballyAwareBackbone",
            "global_network": config,
            "local_network": config,
            "global_channels": channels,
            "crop_size_hw": (64, 64),
        }
    )
    saliency, _, crops, maxima = backbone(torch.rand(2, 1, 256, 192))
    assert saliency.shape == (2, 2, 8, 6)
    assert crops.shape == (2, 6, channels)
    assert maxima.shape == (2, channels)


def test_a_local_network_may_give_a_vector(images):
    local = {
        "type": "VisionTransformer",
        "arch": "deit-tiny",
        "in_channels": 1,
        "img_size": 32,
        "patch_size": 16,
    }
    backbone = GloballyAwareBackbone(GLOBAL, local, crop_size_hw=(32, 32), num_crops=2)
    assert backbone(torch.rand(1, 1, 128, 128))[2].shape == (1, 2, 192)


def test_mixed_precision_leaves_saliency_and_choice_in_float32(backbone, images):
    backbone.eval()
    with torch.autocast("cpu", torch.bfloat16):
        saliency, corners, crops, maxima = backbone(images)
        features = backbone.global_network(images)[-1]
    assert saliency.dtype == torch.float32
    assert crops.dtype == maxima.dtype == torch.bfloat16
    torch.testing.assert_close(saliency, backbone.saliency(features.float()))
    assert torch.equal(corners, backbone.choose_crops(saliency, (64, 48)))


def test_crops_are_normalised_in_the_domain_of_their_image(images):
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        backbone = small_model("DomainBN").backbone
    domains = ["source", "target", "target", "source"]
    with batch_domains(domains):
        together = backbone(images)
    for name in ("source", "target"):
        rows = [row for row, domain in enumerate(domains) if domain == name]
        with batch_domains([name] * 2):
            apart = backbone(images[rows])
        for ours, theirs in zip(together, apart, strict=True):
            torch.testing.assert_close(ours[rows], theirs)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_crops": 0}, r"must be at least 1, got 2, \(256, 256\), 0 and 1"),
        ({"crop_size_hw": (256, 0)}, r"must be at least 1, got 2, \(256, 0\), 6 and 1"),
    ],
)
def test_numbers_that_make_no_crops_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        GloballyAwareBackbone(GLOBAL, LOCAL, **options)


def test_wrong_channels_and_small_images_are_refused_with_the_remedy(backbone):
    wrong = GloballyAwareBackbone(GLOBAL, LOCAL, global_channels=128)
    with pytest.raises(ValueError, match=r"\(N, 128, h, w\), got \(1, 256, 4, 4\): .*channels"):
        wrong(torch.rand(1, 1, 256, 256))
    with pytest.raises(ValueError, match=r"image of \(64, 12\), got \(16, 16\): .*crop_size_hw"):
        backbone(torch.rand(2, 1, 64, 12))
