# ResNet-50 of a patch classifier with two groups of two 512-512-1024 bottlenecks on top; the
# grey values are normalised as for the patches.
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="ResNet", depth=50, in_channels=1),
    neck=dict(type="ResidualTopNeck", in_channels=2048, depths=(512, 512), repetitions=(2, 2)),
    head=dict(
        type="MaskedMultiTaskHead", in_channels=1024, tasks=dict(malignant=dict(kind="binary"))
    ),
)
