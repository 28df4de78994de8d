r"""Evaluation of ImageNet weights: a linear head on a frozen ResNet-50, one outcome, regions.

Reproduces: the ImageNet baseline of the published SSL evaluation: MMPreTrain's ResNet-50, which
is wider than the backbone of the configs beside it (2048 channels, 23.5 M weights).
Differs: the three input channels of the stem are summed to one and scaled to our normalisation.
Offline: fetch the file, then --cfg-options custom_hooks.0.checkpoint=FILE

    python tools/train.py \
        configs/multi_task/resnet50-pooled_in1k-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-pooled_barlowtwins-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py"]

model = dict(
    backbone=dict(_delete_=True, type="ResNet", depth=50, in_channels=1, frozen_stages=4),
    head=dict(in_channels=2048),
)
weights = (
    "https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth"
)
custom_hooks = [
    dict(
        type="LoadPretrainedHook",
        checkpoint=weights,
        allow=["fc.*"],  # torchvision's file has it
        stem_scale=[0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225],
    )
]
