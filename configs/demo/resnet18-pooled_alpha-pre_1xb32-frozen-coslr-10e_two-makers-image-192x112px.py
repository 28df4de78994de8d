r"""Noisy labels on fixed features, plain: a linear head on the backbone that learned at Alpha.

The recipe of MammographyAI: weights of another study, then a fresh head. Half a minute on one core.

    C=resnet18-pooled_alpha-pre_1xb32-frozen-coslr-10e_two-makers-image-192x112px
    python tools/train.py configs/demo/$C.py
    python tools/test.py configs/demo/$C.py work_dirs/$C/epoch_10.pth
"""

_base_ = ["resnet18-pooled_1xb32-coslr-10e_two-makers-image-192x112px.py"]

model = dict(backbone=dict(frozen_stages=4))
pretrained = "work_dirs/resnet18-pooled_1xb32-coslr-10e_alpha-image-192x112px/epoch_10.pth"
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained),
]
