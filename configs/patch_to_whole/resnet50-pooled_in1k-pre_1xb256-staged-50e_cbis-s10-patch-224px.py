r"""Background or lesion, of which kind: ResNet-50 on ten patches of each lesion (set S10).

Reproduces: the patch classifier of end2end, ImageNet weights, three stages: the head, then the
last block and the head, then everything. Rates, decay and epochs are those of its README.
Differs: the three input channels of the stem are summed to one. Its code has a weight decay of
1e-3 in the first stage and of 1e-4 in the last, and 100 epochs there; its frozen batch norms
follow the images, as here: norm_statistics="like_affine" in the hook holds them.
Published: accuracy 0.970 on validation and 0.967 on test patches; 0.89 by the original. Not run
here, for want of a GPU and of the data. About 68,000 patches: prepare them as
_base_/datasets/cbis-s10-patch_224.py says, keep patches and whole images to the same splits.

    python tools/train.py \
        configs/patch_to_whole/resnet50-pooled_in1k-pre_1xb256-staged-50e_cbis-s10-patch-224px.py
"""

_base_ = [
    "../_base_/models/patch-classifier_resnet50.py",
    "../_base_/datasets/cbis-s10-patch_224.py",
    "../_base_/schedules/adam-staged.py",
]

weights = (
    "https://mmassets.onedl.ai/mmclassification/v0/resnet/resnet50_8xb32_in1k_20210831-ea4938fc.pth"
)
imagenet = dict(
    type="LoadPretrainedHook",
    checkpoint=weights,
    allow=["fc.*"],
    stem_scale=[0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225],
)
head = dict(epochs=3, trainable=["head"], lr=1e-3, weight_decay=1e-4)
last_block = dict(epochs=10, trainable=[r"backbone\.layer4\.2", "head"], lr=1e-4, weight_decay=1e-4)
everything = dict(epochs=37, trainable=[".*"], lr=1e-5, weight_decay=0.0)
custom_hooks = [
    imagenet,
    dict(type="StagedTrainingHook", stages=[head, last_block, everything]),
]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=50, val_interval=1)
