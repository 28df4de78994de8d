"""Whole breasts at 384 x 384, as a published RSNA 2022 notebook (system D) augments them.

Its mirroring and rotation of 5 degrees in one warp. Differs: the shape of the tissue is kept;
images have 16 bits and were cropped before they were made small; training and
test have one size, where
it trained at 320 and validated at 384.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="RandomAffineWarp", size_hw=(384, 384), flip_prob=0.5, rotation_deg=5),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(384, 384)),
    dict(type="PackMammogram"),
]
