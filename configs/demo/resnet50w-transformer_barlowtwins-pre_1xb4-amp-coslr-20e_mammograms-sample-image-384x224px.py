r"""Malignancy, density and BI-RADS of the eight real mammograms.

The Transformer model of configs/multi_task/ at half the width and 384 x 224, all layers training,
from the Barlow Twins beside it.
Four images of one patient train, four of the other are tested: it measures nothing.
Run by `make demo`, or, after that pretraining:

    python tools/train.py \
        configs/demo/resnet50w-transformer_barlowtwins-pre_1xb4-amp-coslr-20e_mammograms-sample-image-384x224px.py
"""

_base_ = [
    "../_base_/models/demo-transformer.py",
    "../_base_/datasets/demo-image_384x224.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(batch_size=4, dataset=dict(data_root="dataset/mammograms_sample"))
val_dataloader = dict(dataset=dict(data_root="dataset/mammograms_sample"))
test_dataloader = dict(dataset=dict(data_root="dataset/mammograms_sample"))
pretrained = (
    "work_dirs/barlowtwins_resnet50w_1xb32-amp-coslr-4e_mammograms-sample-patch-96px/epoch_4.pth"
)
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained),
]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=20, val_interval=2)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=19,
        begin=1,
        end=20,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=20))
# Two patients: one trains, one is tested, none is left to validate on.
val_cfg, val_dataloader, val_evaluator = None, None, None
