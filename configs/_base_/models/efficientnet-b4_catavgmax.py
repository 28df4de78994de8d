# EfficientNet-B4 of timm on one 16-bit channel with the pooling and the hidden layers of system D.
# Any backbone of timm: its model_name, and twice its channels for the hidden layers. Weights of
# Mammo-CLIP, from a file on disk, are for tf_efficientnet_b2 (2816) and tf_efficientnet_b5 (4096):
# dict(type="LoadPretrainedHook", checkpoint=..., module="backbone.timm_model",
#      layout="efficientnet_pytorch").
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(type="TIMMBackbone", model_name="efficientnet_b4", in_channels=1),
    neck=[
        dict(type="CatAvgMaxPoolingNeck"),
        dict(type="HiddenLayersNeck", in_channels=3584, hidden_channels=(512, 128), drop_rate=0.4),
    ],
    head=dict(
        type="MaskedMultiTaskHead",
        in_channels=128,
        tasks=dict(malignant=dict(kind="binary")),
    ),
)
