"""SwAV on patches of mammograms, begun from ImageNet as Mammography-nils published it.

Reproduces, differs, costs: as the config without -in1k-pre_. The weights are those of
SwAV on ImageNet (200 epochs, ResNet-50, 3 channels). They fit the stem, whose channels are
summed to one, and the first stage; the narrower stages begin at random, as published. The stem is
scaled to our normalisation, which the published start was not.
Expect: a faster start; no published comparison of the two is known.
Offline: fetch the file, then --cfg-options custom_hooks.2.checkpoint=FILE

    tools/dist_train.sh \
        configs/pretrain/swav_resnet50w_in1k-pre_2xb256-amp-coslr-100e_mammo-patch-224px.py 2
"""

_base_ = ["swav_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px.py"]

weights = (
    "https://mmassets.onedl.ai/mmselfsup/1.x/swav/swav_resnet50_8xb32-mcrop-2-6-coslr-200e_in1k-224-96/"
    "swav_resnet50_8xb32-mcrop-2-6-coslr-200e_in1k-224-96_20220825-5b3fc7fc.pth"
)
custom_hooks = [
    *_base_.custom_hooks,
    dict(
        type="LoadPretrainedHook",
        checkpoint=weights,
        allow=["layer2.*", "layer3.*", "layer4.*"],
        # Our (x - 0.5) / 0.5 beside the (x - mean) / std by colour of ImageNet.
        stem_scale=[0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225],
    ),
]
