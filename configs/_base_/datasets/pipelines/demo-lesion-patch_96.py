# The augmentation of lesion-patch_224.py at 96 px, for two CPU cores.
train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(96, 96),
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
    dict(type="AffineResize", size_hw=(96, 96)),
    dict(type="PackMammogram"),
]
