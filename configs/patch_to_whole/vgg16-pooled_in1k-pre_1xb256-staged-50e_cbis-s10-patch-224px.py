r"""Background or lesion, of which kind: VGG-16 on ten patches of each lesion (set S10).

Reproduces: the VGG-16 of the original end2end, ImageNet weights, average pooling and one linear
layer; the second stage trains the last three convolutions (from Keras layer 15 up) and the head.
Differs: the original drops its rates by factors that its text leaves open; these are those of the
ResNet-50. The input is one grey channel.
Published: accuracy 0.84 on test patches. Not run here.

    python tools/train.py \
        configs/patch_to_whole/vgg16-pooled_in1k-pre_1xb256-staged-50e_cbis-s10-patch-224px.py
"""

_base_ = ["resnet50-pooled_in1k-pre_1xb256-staged-50e_cbis-s10-patch-224px.py"]

model = dict(
    backbone=dict(_delete_=True, type="GreyVGG", depth=16),
    head=dict(in_channels=512),
)
weights = "https://mmassets.onedl.ai/mmclassification/v0/vgg/vgg16_batch256_imagenet_20210208-db26f1a5.pth"
imagenet = dict(_base_.imagenet, checkpoint=weights, allow=["classifier.*"])
last_block = dict(_base_.last_block, trainable=[r"backbone\.features\.1[456]", "head"])
custom_hooks = [
    imagenet,
    dict(type="StagedTrainingHook", stages=[_base_.head, last_block, _base_.everything]),
]
