r"""Malignant or not, whole images: VGG-16 with one VGG block, grown from a patch network.

Reproduces: "VGG16 512 x 1" of Shen et al. 2019, AUC on their test part 0.83, 0.86 with flips.
Differs: as the config of the ResNet-50.
Costs: 17.1 M weights.

    python tools/train.py \
        configs/patch_to_whole/vgg16-vgg-top_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py
"""

_base_ = [
    "../_base_/models/whole-image_vgg16.py",
    "../_base_/datasets/cbis-image_1152x896.py",
    "../_base_/schedules/whole-image-staged-50e.py",
]

patch_network = (
    "work_dirs/vgg16-pooled_in1k-pre_1xb256-staged-50e_cbis-s10-patch-224px/epoch_50.pth"
)
custom_hooks = [
    dict(type="LoadPretrainedHook", checkpoint=patch_network),
    dict(type="StagedTrainingHook", stages=_base_.stages),
]
