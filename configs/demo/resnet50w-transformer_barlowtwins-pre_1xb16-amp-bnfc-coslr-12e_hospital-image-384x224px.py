r"""BN + FC at one synthetic hospital: the convolutions of the pretraining stay as they are.

Running statistics, weights and biases of batch norm and all linear layers train.

    python tools/train.py \
        configs/demo/resnet50w-transformer_barlowtwins-pre_1xb16-amp-bnfc-coslr-12e_hospital-image-384x224px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_hospital-image-384x224px.py"]

custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=_base_.pretrained),
    dict(type="SelectTrainableHook", freeze_types=("Conv2d",)),
]
