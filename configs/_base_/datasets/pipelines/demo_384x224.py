# Whole breasts small enough for two CPU cores; the shape of the tissue is kept, the chest wall
# stays at the left border.
train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(384, 224),
        anchor="chest_wall",
        rotation_deg=10,
        zoom=(0.9, 1.15),
        shear_deg=5,
        translation=0.04,
    ),
    dict(type="AdjustBrightness", magnitude=0.2, prob=0.5),
    dict(type="AdjustGamma", magnitude=0.2, prob=0.5),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(384, 224), anchor="chest_wall"),
    dict(type="PackMammogram"),
]
