r"""Screening with 2 % cancers: what every variant of the study of imbalance changes in one thing.

A ResNet-18 of a quarter of the width from random weights, pooled by the generalised mean, which
heeds a small bright lesion more than the average does. One breast of 50 has cancer, and nothing is
done about it. The rate is told in steps, so that variants with longer or shorter epochs follow the
same one. Prepared, compared and explained by configs/studies/phantom-screening.py.

    python tools/train.py \
        configs/demo/resnet18-gem_1xb32-amp-coslr-6e_phantom-screening-image-192x112px.py
"""

_base_ = [
    "../_base_/datasets/phantom-screening-image_192x112.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="ResNet", depth=18, in_channels=1, base_channels=16, stem_channels=16),
    neck=dict(type="GeneralizedMeanPooling"),
    head=dict(
        type="MaskedMultiTaskHead", in_channels=128, tasks=dict(malignant=dict(kind="binary"))
    ),
)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=6, val_interval=1)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, end=100),
    dict(type="CosineAnnealingLR", T_max=1000, begin=100, end=1100, by_epoch=False),
]
custom_hooks = [dict(type="ChannelsLastHook")]
default_hooks = dict(checkpoint=dict(interval=6))
