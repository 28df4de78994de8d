r"""Benign or malignant, whole synthetic images, the network of the config beside it from scratch.

What the patches are worth: the same network, data and number of epochs, without weights of a
patch network. See configs/README.md for data and figures.

    python tools/train.py \
        configs/demo/resnet18-residual-top_1xb8-amp-coslr-3e_phantom-lesions-image-576x320px.py
"""

_base_ = [
    "../_base_/models/demo-whole-image.py",
    "../_base_/datasets/phantom-lesions-image_576x320.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

custom_hooks = [dict(type="ChannelsLastHook")]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=3, val_interval=3)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=2,
        begin=1,
        end=3,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
