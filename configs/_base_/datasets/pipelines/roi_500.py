"""Regions around a tumour at 500 x 500, as Mammography-nils trains on them.

The probabilities are explained in full-breast_1792x1024.py.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(500, 500),
        keep_ratio=False,
        area=(0.5, 1.0),
        flip_prob=0.5,
        rotation_deg=20,
        deform_prob=0.27,
    ),
    dict(
        type="RandAugment",
        num_policies=3,
        magnitude_level=6,
        magnitude_std=0.5,
        policies=[
            dict(type="StretchContrast", prob=0.4),
            dict(type="AdjustBrightness", magnitude_range=(0, 0.25), prob=0.4),
            dict(type="AdjustSharpness", magnitude_range=(0, 0.25), prob=0.4),
            dict(type="EqualizeHistogram", prob=0.4),
        ],
    ),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(500, 500), keep_ratio=False),
    dict(type="PackMammogram"),
]
