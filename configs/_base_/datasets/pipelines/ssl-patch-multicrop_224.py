"""Two views of a patch at 224 x 224 and six at 96 x 96 for SwAV, as Mammography-nils makes them.

Its crops for SwAV are bilinear, those for the other two methods bicubic.
Differs: contrast and histogram are those of the breast alone, and the background stays 0.
BreastPatchDataset has read the patch already, so nothing is loaded here.
"""

photometric = [
    dict(type="StretchContrast", prob=0.5),
    dict(type="AdjustBrightness", magnitude=0.5, prob=0.5),
    dict(type="AdjustSharpness", magnitude=0.5, prob=0.5),
    dict(type="EqualizeHistogram", prob=0.5),
]
large_view = [
    dict(
        type="RandomAffineWarp",
        size_hw=(224, 224),
        keep_ratio=False,
        area=(0.25, 1.0),
        flip_prob=0.5,
    ),
    *photometric,
]
small_view = [
    dict(
        type="RandomAffineWarp",
        size_hw=(96, 96),
        keep_ratio=False,
        area=(0.1, 0.25),
        flip_prob=0.5,
    ),
    *photometric,
]
train_pipeline = [
    dict(type="MultiView", num_views=[2, 6], transforms=[large_view, small_view]),
    dict(type="PackMammogram"),
]
