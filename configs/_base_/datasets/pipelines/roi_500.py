"""Regions around a tumour at 500 x 500, as Mammography-nils trains on them.

The rotation is explained in full-breast_1792x1024.py.
"""

_base_ = ["rand-augment.py"]

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(500, 500),
        keep_ratio=False,
        area=(0.5, 1.0),
        flip_prob=0.5,
        rotation_deg=8,
        deform_prob=0.27,
    ),
    _base_.rand_augment,
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(500, 500), keep_ratio=False),
    dict(type="PackMammogram"),
]
