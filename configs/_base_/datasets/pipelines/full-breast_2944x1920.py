"""Whole breasts at 2944 x 1920, as DoSReMC trains on them, in one warp.

The extremes of the whole image, its background among them, become 0 and 1, as published.
Its ranges: mirror, rotation 15 degrees, shear 25 degrees, noise of 0.005 in every second image. Its
random resized crop of 0.8 to 1.6 times the area is a zoom here, and the ratio of height to width
is kept: the original stretches each crop to another ratio, and falls back to a central cut.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="StretchContrast", prob=1, breast_only=False),
    dict(
        type="RandomAffineWarp",
        size_hw=(2944, 1920),
        anchor="chest_wall",
        flip_prob=0.5,
        rotation_deg=15,
        shear_deg=25,
        translation=0.1,
        zoom=(0.8, 1.1),
    ),
    dict(type="AddGaussianNoise", magnitude=0.005, prob=0.5, random_negative_prob=0),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="StretchContrast", prob=1, breast_only=False),
    dict(type="AffineResize", size_hw=(2944, 1920), anchor="chest_wall", flip_to="L"),
    dict(type="PackMammogram"),
]
