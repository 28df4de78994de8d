# VGG-16 of a patch classifier with one VGG block of one convolution on top ("512 x 1").
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="GreyVGG", depth=16),
    neck=dict(type="VggTopNeck", in_channels=512, depths=(512,), repetitions=(1,)),
    head=dict(
        type="MaskedMultiTaskHead", in_channels=512, tasks=dict(malignant=dict(kind="binary"))
    ),
)
