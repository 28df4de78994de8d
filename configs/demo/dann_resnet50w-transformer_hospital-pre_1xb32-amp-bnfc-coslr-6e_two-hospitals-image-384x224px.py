r"""DA_BNFC: adversarial training of batch norm and linear layers, from the source-only model.

The row of the published table that does best far from home, in small.

    python tools/train.py \
        configs/demo/dann_resnet50w-transformer_hospital-pre_1xb32-amp-bnfc-coslr-6e_two-hospitals-image-384x224px.py
"""

_base_ = [
    "dann_resnet50w-transformer_barlowtwins-pre_1xb32-amp-coslr-12e_two-hospitals-image-384x224px.py"
]

pretrained = (
    "work_dirs/resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_hospital-image-384x224px"
    "/epoch_12.pth"
)
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained, module="", allow=("domain_head.*",)),
    dict(type="AdversarialStrengthHook"),
    dict(type="SelectTrainableHook", freeze_types=("Conv2d",)),
]
train_cfg = dict(max_epochs=6, val_interval=2)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=5,
        begin=1,
        end=6,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=6))
