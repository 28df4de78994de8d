r"""Source only: malignancy at one synthetic hospital, tested at others by the study.

The Transformer model at half the width and 384 x 224, all layers training. Prepared and pretrained
as barlowtwins beside it says.

    python tools/train.py \
        configs/demo/resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_hospital-image-384x224px.py
"""

_base_ = [
    "../_base_/models/demo-transformer.py",
    "../_base_/datasets/demo-image_384x224.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(tasks=dict(_delete_=True, malignant=dict(kind="binary"))))
hospital = dict(data_root="dataset/hospital_alpha", tasks=["malignant"])
train_dataloader = dict(dataset=hospital)
val_dataloader = dict(dataset=hospital)
test_dataloader = dict(dataset=hospital)
pretrained = "work_dirs/barlowtwins_resnet50w_1xb64-amp-coslr-10e_hospital-patch-96px/epoch_10.pth"
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained),
]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=12, val_interval=4)
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
