r"""Malignancy of synthetic exams from random weights: the image part of the clinical study.

Small enough to be trained fold by fold on two CPU cores. "Clinical variables" in configs/README.md
has the preparation, the cross-validation, the fusion and the figures.

    python tools/cross_validate.py \
        configs/demo/resnet18-gem_1xb8-amp-coslr-16e_phantom-clinical-image-192x112px.py \
        --outer 3 --inner 2
"""

_base_ = [
    "../_base_/models/resnet50w-pooled.py",
    "../_base_/datasets/demo-image_192x112.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(
        _delete_=True,
        type="mmpretrain.ResNet",
        depth=18,
        in_channels=1,
        stem_channels=16,
        base_channels=16,
        norm_cfg=dict(type="BN"),
    ),
    # A small bright lesion counts for more than in the average of the map.
    neck=dict(_delete_=True, type="GeneralizedMeanPooling"),
    head=dict(in_channels=128, tasks=dict(_delete_=True, malignant=dict(kind="binary"))),
)
study = dict(data_root="dataset/phantom_clinical", tasks=["malignant"])
train_dataloader = dict(batch_size=8, dataset=study)
val_dataloader = dict(dataset=study)
test_dataloader = dict(dataset=study)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
custom_hooks = [dict(type="ChannelsLastHook")]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=16, val_interval=2)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=15,
        begin=1,
        end=16,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
