import torch
from mmpretrain.models import VGG

from mammography.functional.weight_transfer import transfer_state
from mammography.models.backbones.grey_vgg import GreyVGG


def test_on_grey_images_it_gives_what_the_network_of_three_equal_channels_gives():
    torch.manual_seed(0)
    colour, grey = VGG(depth=11), GreyVGG(depth=11)
    state, report = transfer_state(colour.state_dict(), grey.state_dict())
    grey.load_state_dict(state)
    x = torch.rand(2, 1, 64, 64)
    expected = colour(x.expand(-1, 3, -1, -1))[0]
    torch.testing.assert_close(grey(x)[0], expected, rtol=1e-4, atol=1e-5)
    assert report.summed == ("features.0.conv.weight",)
    assert expected.std() > 0
