r"""Evaluation of ImageNet weights: a linear head on a frozen ResNet-50, one outcome, regions.

Differs from the published baseline, which loaded ImageNet into the narrow-late ResNet: its later
stages have other shapes, stayed random, and were frozen so. A ResNet-50 takes all the weights.
Give torchvision's or MMPreTrain's ResNet-50: --cfg-options custom_hooks.0.checkpoint=FILE

    python tools/train.py \
        configs/multi_task/resnet50-pooled_in1k-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-pooled_barlowtwins-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py"]

model = dict(
    backbone=dict(_delete_=True, type="ResNet", depth=50, in_channels=1, frozen_stages=4),
    head=dict(in_channels=2048),
)
custom_hooks = [
    dict(
        type="LoadPretrainedHook",
        checkpoint="resnet50_in1k.pth",
        allow=["fc.*"],
        stem_scale=[0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225],
    )
]
