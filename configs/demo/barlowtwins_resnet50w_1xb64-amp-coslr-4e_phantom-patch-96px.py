r"""Barlow Twins on patches of synthetic exams.

The method of configs/pretrain/ at half the width, on patches of 96 px, for 4 epochs.
The loss falls; see configs/README.md for the figures.
Run by `make demo`, or, after preparing dataset/phantom:

    python tools/train.py \
        configs/demo/barlowtwins_resnet50w_1xb64-amp-coslr-4e_phantom-patch-96px.py
"""

_base_ = [
    "../_base_/models/demo-barlowtwins.py",
    "../_base_/datasets/demo-patch_96.py",
    "../_base_/schedules/demo-lars.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(
    batch_size=64, dataset=dict(data_root="dataset/phantom", patches_per_image=8)
)
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=4)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=3,
        begin=1,
        end=4,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=4))
