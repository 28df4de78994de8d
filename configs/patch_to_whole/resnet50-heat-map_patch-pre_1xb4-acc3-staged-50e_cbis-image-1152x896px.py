r"""Malignant or not, whole images: the maxima of the patch network's heat map, fully connected.

Reproduces: the heat-map head of Shen et al. 2019, which they report for another patch network
(DDSM AUC 0.83, 0.86 with flips): average of 7 x 7 places, the last layer of the patch network at
each, maxima of 5 x 5, layers of 64 and 32. Takes images of one size.
Differs: as the config with residual blocks; the shortcut past the layers is neck.shortcut=True
with head.in_channels=152.
Costs: 23.5 M weights.

    python tools/train.py \
        configs/patch_to_whole/resnet50-heat-map_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py
"""

_base_ = ["resnet50-residual-top_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py"]

model = dict(
    neck=dict(_delete_=True, type="HeatMapNeck", in_channels=2048, map_hw=(36, 28), window=7),
    head=dict(in_channels=32),
)
custom_hooks = [
    dict(type="LoadPretrainedHook", checkpoint=_base_.patch_network),
    dict(
        type="LoadPretrainedHook",
        checkpoint=_base_.patch_network,
        module="neck.classifier",
        prefix="state_dict.head.outcomes.lesion.linear.",
    ),
    dict(type="StagedTrainingHook", stages=_base_.stages),
]
