r"""The proof of the whole chain: is a planted cancer found in patients the model never saw?

The fine-tuning of the demo on a study of 500 synthetic patients, 100 of them held out for the
test, for 24 epochs; malignancy, density and BI-RADS. The study is prepared as the pretraining says.
Expect the figures of configs/README.md; with shuffled labels the ROC-AUC stays near 0.5.

    python tools/train.py \
        configs/demo/resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-24e_phantom-study-image-384x224px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_phantom-image-384x224px.py"]

train_dataloader = dict(dataset=dict(data_root="dataset/phantom_study"))
val_dataloader = dict(dataset=dict(data_root="dataset/phantom_study"))
test_dataloader = dict(dataset=dict(data_root="dataset/phantom_study"))
pretrained = (
    "work_dirs/barlowtwins_resnet50w_1xb64-amp-coslr-10e_phantom-study-patch-96px/epoch_10.pth"
)
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained),
]
train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=23,
        begin=1,
        end=24,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=24))
