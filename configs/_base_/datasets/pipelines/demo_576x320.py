# Whole images of the lesion study as they were prepared, at the size the patches were cut from.
train_pipeline = [
    dict(type="LoadMammogram"),
    dict(
        type="RandomAffineWarp",
        size_hw=(576, 320),
        flip_prob=0.5,
        rotation_deg=10,
        zoom=(0.9, 1.1),
        translation=0.03,
    ),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(576, 320)),
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
