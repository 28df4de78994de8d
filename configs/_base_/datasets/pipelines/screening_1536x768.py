"""Whole breasts at 1536 x 768, which is the shape of most of them: the chest wall at the left.

Both classes get the same augmentation, so that it cannot tell the label.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(1536, 768),
        anchor="chest_wall",
        flip_to="L",
        rotation_deg=15,
        zoom=(0.85, 1.15),
        shear_deg=5,
        translation=0.04,
    ),
    dict(type="AdjustBrightness", magnitude=0.2, prob=0.5),
    dict(type="AdjustGamma", magnitude=0.2, prob=0.5),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(1536, 768), anchor="chest_wall", flip_to="L"),
    dict(type="PackMammogram"),
]
