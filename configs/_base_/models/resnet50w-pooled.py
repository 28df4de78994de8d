# Narrow-late ResNet, global average, one linear layer per outcome. A study with other
# outcomes replaces these: head=dict(tasks=dict(_delete_=True, N=dict(kind="binary"), ...)).
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="NarrowLateResNet", depth=50, in_channels=1),
    neck=dict(type="GlobalAveragePooling"),
    head=dict(
        type="MaskedMultiTaskHead",
        in_channels=1024,
        tasks=dict(
            malignant=dict(kind="binary", loss_weight=1.0),
            density=dict(kind="ordinal", num_classes=4, loss_weight=0.5),
            birads=dict(kind="multiclass", num_classes=5, loss_weight=0.5),
        ),
    ),
)
