r"""Evaluation of self-supervised weights: a linear head on a frozen backbone, one outcome, regions.

Reproduces: the SSL evaluation of Mammography-nils: task N alone, AdamW 1e-3, weight decay 1e-4,
20 epochs, batch 64, gradients not clipped. The configs beside it change the weights and nothing
else.
Costs: 1 k trained parameters.

    python tools/train.py \
        configs/multi_task/resnet50w-pooled_barlowtwins-pre_1xb64-frozen-steplr-20e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-pooled_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-roi-500x500px.py"]

model = dict(
    head=dict(tasks=dict(_delete_=True, N=dict(kind="binary"))),
)
optim_wrapper = dict(optimizer=dict(weight_decay=1e-4), clip_grad=None)
train_cfg = dict(max_epochs=20)
train_dataloader = dict(batch_size=64, dataset=dict(tasks=["N"]))
val_dataloader = dict(dataset=dict(tasks=["N"]))
test_dataloader = dict(dataset=dict(tasks=["N"]))
