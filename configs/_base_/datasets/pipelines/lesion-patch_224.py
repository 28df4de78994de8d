"""Patches of 224 px on lesions and beside them, with the augmentation of end2end, in one warp.

Mirrored both ways, turned by up to 25 degrees, zoomed by 0.8 to 1.2, sheared by up to 12 degrees,
brighter or darker by up to 20 %. What lies beyond the patch is 0.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(224, 224),
        flip_prob=0.5,
        vertical_flip_prob=0.5,
        rotation_deg=25,
        zoom=(0.8, 1.2),
        shear_deg=12,
    ),
    dict(type="AdjustBrightness", magnitude_range=(0, 0.2), magnitude_std="inf", prob=1.0),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(224, 224)),
    dict(type="PackMammogram"),
]
