r"""Benign or malignant, whole synthetic images, grown from a patch network.

The published way in small: the patch network without its head, new blocks on top; first the new
layers alone, then all with a smaller rate. See configs/README.md for data and figures. After
the patch classifier:

    python tools/train.py \
        configs/demo/resnet18-residual-top_patch-pre_1xb8-amp-staged-3e_phantom-lesions-image-576x320px.py
"""

_base_ = [
    "../_base_/models/demo-whole-image.py",
    "../_base_/datasets/phantom-lesions-image_576x320.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

patch_network = (
    "work_dirs/resnet18-pooled_1xb64-amp-staged-8e_phantom-lesions-patch-96px/epoch_8.pth"
)
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=patch_network),
    dict(
        type="StagedTrainingHook",
        stages=[
            dict(epochs=1, trainable=["neck", "head"], lr=1e-3),
            dict(
                epochs=2,
                trainable=[".*"],
                lr=3e-4,
                param_scheduler=[dict(type="CosineAnnealingLR", convert_to_iter_based=True)],
            ),
        ],
    ),
]
param_scheduler = []
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=3, val_interval=3)
