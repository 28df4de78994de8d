r"""Evaluation from scratch: what no pretraining gives, one outcome, regions.

Reproduces: the scratch variant of the published SSL evaluation: all layers train, learning rate
0.05, weight decay 1e-3, 100 epochs.

    python tools/train.py \
        configs/multi_task/resnet50w-pooled_1xb64-steplr-100e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-pooled_barlowtwins-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py"]

model = dict(backbone=dict(frozen_stages=-1))
optim_wrapper = dict(optimizer=dict(lr=0.05, weight_decay=1e-3))
train_cfg = dict(max_epochs=100)
custom_hooks = []
