"""Whole breasts at 1792 x 1024, as Mammography-nils trains on them.

Its chain (random resized crop, flip, RandAugment) with the crop, the flip and the rotation in one
warp. Like its own, it does not keep the ratio of height to width; keep_ratio=True does.
Its rotation, level 6 of 10 in (-20, 20), is 4 degrees with a deviation of 2, to either side, in
1 - 0.9**3 = 27 % of the images, over a grey ground. Here it is uniform up to 8 degrees, which has
the same spread, and the corners show the tissue that lies there.
"""

_base_ = ["rand-augment.py"]

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(1792, 1024),
        keep_ratio=False,
        area=(0.5, 0.9),
        aspect_ratio=(4 / 8, 6 / 8),
        flip_prob=0.5,
        rotation_deg=8,
        deform_prob=0.27,
    ),
    _base_.rand_augment,
    dict(type="PackMammogram"),
]
# As published: resized to 2048 x 1152, of which the centre is cut out.
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="AffineResize",
        size_hw=(1792, 1024),
        keep_ratio=False,
        central=(1792 / 2048, 1024 / 1152),
    ),
    dict(type="PackMammogram"),
]
