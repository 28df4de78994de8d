r"""Malignant or not, whole images: ResNet-50 [512-512-1024] x 2, grown from a patch network.

Reproduces: Shen et al. 2019 (Scientific Reports 9:12495), single-model AUC on their own test part
of CBIS-DDSM 0.86, 0.88 with flips (--tta); on the official part others get about 0.7. Rates and
epochs as the README of the port to PyTorch has them (30 + 20, batches of 12).
Differs: one channel of 16 bits; the ratio of height to width is kept; one logit instead of two; the
checkpoint of the best validation AUC is kept; the area is of probabilities, on all images.
Costs: 40.8 M weights; not run at this size here. Smaller GPUs: batch_size=2 with
accumulative_counts=6. After the patch classifier:

    python tools/train.py \
        configs/patch_to_whole/resnet50-residual-top_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py
"""

_base_ = [
    "../_base_/models/whole-image_resnet50.py",
    "../_base_/datasets/cbis-image_1152x896.py",
    "../_base_/schedules/whole-image-staged-50e.py",
]

patch_network = (
    "work_dirs/resnet50-pooled_in1k-pre_1xb256-staged-50e_cbis-s10-patch-224px/epoch_50.pth"
)
custom_hooks = [
    dict(type="LoadPretrainedHook", checkpoint=patch_network),
    dict(type="StagedTrainingHook", stages=_base_.stages),
]
