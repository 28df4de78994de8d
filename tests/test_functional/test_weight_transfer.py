import pytest
import torch

from mammography.functional.weight_transfer import transfer_state

NAMES = ("conv1.weight", "bn1.weight", "layer1.0.weight", "layer2.0.weight", "layer2.1.weight")


def net(fill: float = 1.0, channels: int = 1) -> dict[str, torch.Tensor]:
    """Return the state of a small network, every number the same."""
    state = {name: torch.full((2, 2), fill) for name in NAMES}
    return state | {"conv1.weight": torch.full((2, channels, 3, 3), fill)}


def prefixed(prefix: str, state: dict) -> dict:
    return {f"{prefix}{name}": value for name, value in state.items()}


LAYOUTS = {
    "torchvision": net(),
    "MMPreTrain": {
        "meta": {"epoch": 3},
        "state_dict": prefixed("backbone.", net()) | {"head.fc.weight": torch.ones(1)},
        "optimizer": {"state": {0: {"momentum_buffer": torch.ones(2)}}},
    },
    "parallel": {"state_dict": prefixed("module.backbone.", net())},
    "compiled": {"model": prefixed("_orig_mod.", net())},
    "averaged": {
        "state_dict": prefixed("backbone.", net()),
        "ema_state_dict": prefixed("module.backbone.", net(7.0)),
    },
    "BYOL": {
        "state_dict": prefixed("backbone.", net())
        | prefixed("target_net.module.0.", net(7.0)),
    },
    "DINO": {
        "student": prefixed("module.backbone.", net(7.0)),
        "teacher": prefixed("backbone.", net()),
    },
    "MoCo": {
        "state_dict": prefixed("module.encoder_k.", net(7.0))
        | prefixed("module.encoder_q.", net()),
    },
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_finds_the_network_in_the_file_of(layout):
    state, report = transfer_state(LAYOUTS[layout], net(0.0))
    assert len(report.loaded) == report.total == len(NAMES)
    assert all((tensor == 1).all() for tensor in state.values())


def test_two_places_that_fit_alike_are_refused_until_one_is_named():
    file = prefixed("left.", net(1.0)) | prefixed("right.", net(2.0))
    with pytest.raises(ValueError, match=r"in one place, got left\., right\.: name one"):
        transfer_state(file, net())
    state, _ = transfer_state(file, net(), prefix="right.")
    assert (state["bn1.weight"] == 2).all()


def test_one_channel_sees_in_gray_what_three_saw():
    torch.manual_seed(0)
    kernel, gray = torch.randn(8, 3, 7, 7), torch.randn(2, 1, 20, 20)
    target = {"conv1.weight": torch.zeros(8, 1, 7, 7)}
    state, report = transfer_state({"conv1.weight": kernel}, target)
    conv = torch.nn.functional.conv2d
    three = conv(gray.expand(-1, 3, -1, -1), kernel)
    torch.testing.assert_close(conv(gray, state["conv1.weight"]), three)
    assert report.summed == ("conv1.weight",)
    assert "input channels of conv1.weight summed to one" in str(report)


def test_scaled_channels_undo_another_normalisation():
    torch.manual_seed(0)
    kernel, gray = torch.randn(8, 3, 7, 7), torch.rand(2, 1, 20, 20)
    std = torch.tensor([0.229, 0.224, 0.225])
    target = {"conv1.weight": torch.zeros(8, 1, 7, 7)}
    state, _ = transfer_state({"conv1.weight": kernel}, target, stem_scale=(0.5 / std).tolist())
    theirs = torch.nn.functional.conv2d(gray / std[:, None, None], kernel)
    ours = torch.nn.functional.conv2d(gray / 0.5, state["conv1.weight"])
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer2.1.weight": None}, r"layer2\.1\.weight \(missing\)"),
        ({"layer2.1.weight": torch.zeros(3, 2)}, r"\.1\.weight \(shape \(3, 2\) for \(2, 2\)"),
        ({"fc.weight": torch.zeros(1)}, r"fc\.weight \(superfluous\)"),
        ({"conv1.weight": torch.zeros(2, 4, 3, 3)}, r"conv1\.weight \(shape"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(change, message):
    file = {k: v for k, v in (net() | change).items() if v is not None}
    with pytest.raises(ValueError, match=message):
        transfer_state(file, net())


def test_a_group_that_is_allowed_to_differ_stays_whole_as_it_was():
    file = net() | {"layer2.1.weight": torch.zeros(3, 2), "fc.weight": torch.zeros(1)}
    state, report = transfer_state(file, net(), allow=("layer2.*", "fc.*"))
    assert set(state) == {"conv1.weight", "bn1.weight", "layer1.0.weight"}
    assert report.left == {"layer2.*": ("layer2.0.weight", "layer2.1.weight")}
    assert str(report) == "3 of 5 tensors loaded, left as they were: layer2.* (2)"


def test_a_group_that_is_allowed_to_differ_is_loaded_when_it_fits():
    state, report = transfer_state(net(), net(0.0), allow=("layer2.*",))
    assert len(state) == len(NAMES)
    assert report.left == {}


def test_the_batch_count_may_be_missing_from_old_files():
    target = net(0.0) | {"bn1.num_batches_tracked": torch.tensor(0)}
    assert len(transfer_state(net(), target)[0]) == len(NAMES)


def test_a_file_of_another_network_is_refused():
    with pytest.raises(ValueError, match=r"must have names such as 'conv1\.weight', got 'a\.b'"):
        transfer_state({"a": {"b": torch.zeros(1)}}, net())


def test_nothing_loaded_is_refused_even_when_all_is_allowed():
    file = prefixed("backbone.", net()) | {"backbone.layer2.1.weight": torch.zeros(3, 2)}
    with pytest.raises(ValueError, match="at least one tensor"):
        transfer_state(file, net(), allow=("*",))


def test_a_wrong_prefix_is_refused():
    with pytest.raises(ValueError, match=r"names after 'heart\.'.*conv1\.weight \(missing\)"):
        transfer_state(net(), net(), prefix="heart.")


def test_a_module_within_the_model_is_found_by_its_name():
    file = {"state_dict": prefixed("backbone.", net(7.0)) | prefixed("neck.", net())}
    state, report = transfer_state(file, net(0.0), module="neck")
    assert report.prefix == "state_dict.neck."
    assert (state["bn1.weight"] == 1).all()
