# The Transformer model at half the width, for two CPU cores; its position grid is that of the
# feature map of 384 x 224, so nothing is pooled away.
_base_ = ["resnet50w-transformer.py"]

model = dict(
    backbone=dict(base_channels=32, stem_channels=32),
    neck=dict(
        in_channels=512,
        input_size_hw=(384, 224),
        pool=dict(kernel_size=1, stride=1, padding=0),
        feedforward_channels=512,
    ),
    head=dict(in_channels=512),
)
custom_hooks = [dict(type="ChannelsLastHook")]
