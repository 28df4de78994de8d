r"""Noisy labels, the model of a hospital with right labels: Alpha's images alone.

Where the two frozen configs beside it start. Half a minute on one CPU core.

    python tools/train.py \
        configs/demo/resnet18-pooled_1xb32-coslr-10e_alpha-image-192x112px.py
"""

_base_ = ["resnet18-pooled_1xb32-coslr-10e_two-makers-image-192x112px.py"]

alpha = dict(filter_cfg=dict(manufacturer=["Alpha Imaging"]), flip_labels=None)
train_dataloader = dict(dataset=alpha)
val_dataloader = dict(dataset=alpha)
test_dataloader = dict(dataset=alpha)
