# The demo's patch network, half a ResNet-18, with two groups of two bottlenecks on top.
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="ResNet", depth=18, in_channels=1, stem_channels=32, base_channels=32),
    neck=dict(type="ResidualTopNeck", in_channels=256, depths=(64, 64), repetitions=(2, 2)),
    head=dict(
        type="MaskedMultiTaskHead", in_channels=128, tasks=dict(malignant=dict(kind="binary"))
    ),
)
