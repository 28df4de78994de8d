r"""Malignancy, density, BI-RADS and mass size of synthetic exams.

The Transformer model of configs/multi_task/ at half the width and 384 x 224, all layers training,
from the Barlow Twins beside it.
The model is seen to learn; see configs/README.md for the figures.
Run by `make demo`, or, after that pretraining:

    python tools/train.py \
        configs/demo/resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_phantom-image-384x224px.py
"""

_base_ = [
    "../_base_/models/demo-transformer.py",
    "../_base_/datasets/demo-image_384x224.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

model = dict(
    head=dict(
        tasks=dict(
            # In millimetres: 10 mm off costs about as much as a coin thrown for malignancy.
            mass_size_mm=dict(kind="regression", loss="smooth_l1", loss_weight=0.05)
        )
    )
)
train_dataloader = dict(batch_size=16, dataset=dict(data_root="dataset/phantom"))
val_dataloader = dict(dataset=dict(data_root="dataset/phantom"))
test_dataloader = dict(dataset=dict(data_root="dataset/phantom"))
pretrained = "work_dirs/barlowtwins_resnet50w_1xb64-amp-coslr-4e_phantom-patch-96px/epoch_4.pth"
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained),
]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=12, val_interval=2)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=11,
        begin=1,
        end=12,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=12))
