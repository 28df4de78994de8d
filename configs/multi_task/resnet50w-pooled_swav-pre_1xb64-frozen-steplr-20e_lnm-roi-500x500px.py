r"""Evaluation of the SwAV weights: a linear head on a frozen backbone, one outcome, regions.

As the Barlow Twins evaluation, from the other config of configs/pretrain/.

    python tools/train.py \
        configs/multi_task/resnet50w-pooled_swav-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-pooled_barlowtwins-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py"]

pretrained = "work_dirs/swav_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px/epoch_80.pth"
custom_hooks = [dict(type="LoadPretrainedHook", checkpoint=pretrained)]
