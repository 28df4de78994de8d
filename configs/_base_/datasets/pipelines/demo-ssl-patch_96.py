# Two views of a patch at 96 x 96: the chain of ssl-patch_224.py at the size of the demo.
view = [
    dict(
        type="RandomAffineWarp",
        size_hw=(96, 96),
        keep_ratio=False,
        area=(0.2, 1.0),
        flip_prob=0.5,
        interpolation="bicubic",
    ),
    dict(type="StretchContrast", prob=0.5),
    dict(type="AdjustBrightness", magnitude=0.5, prob=0.5),
    dict(type="AdjustSharpness", magnitude=0.5, prob=0.5),
    dict(type="EqualizeHistogram", prob=0.5),
]
train_pipeline = [
    dict(type="MultiView", num_views=2, transforms=[view]),
    dict(type="PackMammogram"),
]
