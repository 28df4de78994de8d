# ConvNeXt-S on one 16-bit channel, average and maximum of its last map, one hidden layer.
# norm3 acts on the map, before the pooling; in timm it acts after it. arch="tiny" has the same
# widths; "base" needs in_channels=2048. Weights of the winner of RSNA 2022, from a file on
# disk: dict(type="LoadPretrainedHook", checkpoint=..., layout="timm_convnext").
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(
        type="ConvNeXt",
        arch="small",
        in_channels=1,
        drop_path_rate=0.4,
        gap_before_final_norm=False,
    ),
    neck=[
        dict(type="CatAvgMaxPoolingNeck"),
        dict(type="HiddenLayersNeck", in_channels=1536, hidden_channels=(512,), drop_rate=0.2),
    ],
    head=dict(
        type="MaskedMultiTaskHead",
        in_channels=512,
        tasks=dict(malignant=dict(kind="binary")),
    ),
)
