# Half the width for two CPU cores; each view becomes a vector, a Transformer joins those of a case.
_base_ = ["resnet50w-pooled.py"]

model = dict(
    type="MultiInputClassifier",
    data_preprocessor=dict(type="MultiViewDataPreprocessor"),
    backbone=dict(base_channels=32, stem_channels=32),
    view_fusion=dict(type="ViewFusionNeck", in_channels=512, depth=1, num_heads=8),
    head=dict(in_channels=512),
)
custom_hooks = [dict(type="ChannelsLastHook")]
