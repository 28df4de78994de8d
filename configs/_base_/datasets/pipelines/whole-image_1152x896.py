"""Whole images at 1152 x 896, augmented as the end2end classifier is, in one warp.

Its ranges: both flips, rotation 25 degrees, zoom 0.8 to 1.2, shear 12 degrees, intensity 20 %.
The prepared images keep their ratio of height to width; the original stretches them.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(1152, 896),
        flip_prob=0.5,
        rotation_deg=25,
        shear_deg=12,
        zoom=(0.8, 1.2),
    ),
    dict(type="RandomFlip", prob=0.5, direction="vertical"),
    dict(type="AdjustBrightness", magnitude_range=(0, 0.2), magnitude_std="inf", prob=1.0),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(1152, 896)),
    dict(type="PackMammogram"),
]
# With --tta: the image, its mirror image, both upside down.
tta_pipeline = [
    *test_pipeline[:-1],
    dict(
        type="TestTimeAug",
        transforms=[
            [
                dict(type="RandomFlip", prob=0.0),
                dict(type="RandomFlip", prob=1.0, direction="horizontal"),
                dict(type="RandomFlip", prob=1.0, direction="vertical"),
                dict(type="RandomFlip", prob=1.0, direction="diagonal"),
            ],
            [dict(type="PackMammogram")],
        ],
    ),
]
