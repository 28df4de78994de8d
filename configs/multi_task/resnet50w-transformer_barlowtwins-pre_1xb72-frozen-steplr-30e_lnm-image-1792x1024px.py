r"""Lymph-node metastasis and four companions from whole breasts, Transformer neck, frozen backbone.

Reproduces: the main model of Mammography-nils (npj Digit Med 2025, 8:425): tasks, loss weights,
neck, schedule and input size; the backbone comes from our Barlow Twins at epoch 80; the best
checkpoint is the one with the lowest cross-entropy of N.
Differs: one 16-bit channel; the augmentation as its pipeline says; one linear layer per task,
which is the same linear map as the published five-column output; these layers, the positions and
the class token start at 0.02 standard deviations (published: the layers by PyTorch's default, the
rest at 1); attention learns the logarithm of its scale; two regular checkpoints are kept, not one.
Costs: 4.5 M trained parameters; the frozen backbone needs no gradients, so a batch of 72 takes
about the memory of its activations at inference. --amp halves it.
Expect: the paper reports 0.774 ROC-AUC only after fusion with clinical data, on data that are not
public; it has not been run here for want of them.

    python tools/train.py \
        configs/multi_task/resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-image-1792x1024px.py
"""

_base_ = [
    "../_base_/models/lnm-transformer.py",
    "../_base_/datasets/lnm-image_1792x1024.py",
    "../_base_/schedules/adamw-steplr-30e.py",
    "../_base_/default_runtime.py",
]

default_hooks = dict(checkpoint=dict(interval=5, save_best="N/bce"))
