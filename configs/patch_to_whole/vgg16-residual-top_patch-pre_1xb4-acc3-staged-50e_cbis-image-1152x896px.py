r"""Malignant or not, whole images: VGG-16 with residual blocks, the hybrid of the publication.

Reproduces: "VGG16 [512-512-1024] x 2" of Shen et al. 2019, AUC on their test part 0.85, 0.88 with
flips.
Differs: as the config of the ResNet-50.
Costs: 29.7 M weights.

    python tools/train.py \
        configs/patch_to_whole/vgg16-residual-top_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py
"""

_base_ = ["vgg16-vgg-top_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py"]

model = dict(
    neck=dict(
        _delete_=True,
        type="ResidualTopNeck",
        in_channels=512,
        depths=(512, 512),
        repetitions=(2, 2),
    ),
    head=dict(in_channels=1024),
)
