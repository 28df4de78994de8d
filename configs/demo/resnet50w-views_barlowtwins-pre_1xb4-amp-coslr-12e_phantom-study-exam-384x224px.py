r"""All views of an exam at once: does the woman have cancer in either breast?

Each view goes through the same network, a Transformer over the views reads them together. Prepared
and pretrained as for the study of configs/README.md. This study was not run.

    python tools/train.py \
        configs/demo/resnet50w-views_barlowtwins-pre_1xb4-amp-coslr-12e_phantom-study-exam-384x224px.py
"""

_base_ = [
    "../_base_/models/demo-views.py",
    "../_base_/datasets/demo-exam_384x224.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

model = dict(head=dict(tasks=dict(_delete_=True, malignant=dict(kind="binary"))))
study = dict(data_root="dataset/phantom_study", tasks=["malignant"])
train_dataloader = dict(dataset=study)
val_dataloader = dict(dataset=study)
test_dataloader = dict(dataset=study)
pretrained = (
    "work_dirs/barlowtwins_resnet50w_1xb64-amp-coslr-10e_phantom-study-patch-96px/epoch_10.pth"
)
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
