# Whole breasts at about 1 mm a pixel: masses and their spicules are seen, calcifications are
# not. Both classes get the same augmentation, so that it cannot tell the label.
train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(192, 112),
        anchor="chest_wall",
        rotation_deg=15,
        zoom=(0.85, 1.15),
        translation=0.04,
    ),
    dict(type="AdjustBrightness", magnitude=0.1, prob=0.5),
    dict(type="AdjustGamma", magnitude=0.1, prob=0.5),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(192, 112), anchor="chest_wall"),
    dict(type="PackMammogram"),
]
