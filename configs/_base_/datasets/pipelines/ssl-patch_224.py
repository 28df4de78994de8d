"""Two views of a patch at 224 x 224 for BarlowTwins and BYOL, as Mammography-nils makes them.

Differs: contrast and histogram are those of the breast alone, and the background stays 0.
BreastPatchDataset has read the patch already, so nothing is loaded here.
"""

view = [
    dict(
        type="RandomAffineWarp",
        size_hw=(224, 224),
        keep_ratio=False,
        area=(0.08, 1.0),
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
