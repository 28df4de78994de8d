# ResNet-50 with average pooling, one linear layer for each of the two outcomes of DoSReMC.
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="ResNet", depth=50, in_channels=1),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="MaskedMultiTaskHead",
        in_channels=2048,
        tasks=dict(benign=dict(kind="binary"), malignant=dict(kind="binary")),
    ),
)
