"""Whole breasts at 1792 x 1024, as Mammography-nils trains on them.

Its chain (random resized crop, flip, RandAugment) with the crop, the flip and the rotation in one
warp. Like its own, it does not keep the ratio of height to width; keep_ratio=True does.
RandAugment drew 3 times among 5 policies that act with probability 0.5, rotation being one of
them. Among the other 4 that is a probability of 0.4, and the rotation acts on 1 - 0.9**3 = 27 %.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(1792, 1024),
        keep_ratio=False,
        area=(0.5, 0.9),
        aspect_ratio=(4 / 8, 6 / 8),
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
# Resizing to 2048 x 1152 and cutting out the centre is a zoom by 8/7.
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(1792, 1024), keep_ratio=False, zoom=8 / 7),
    dict(type="PackMammogram"),
]
