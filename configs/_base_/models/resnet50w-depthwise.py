# Two halvings by residual depthwise blocks before the average; a 500 px region takes one.
_base_ = ["resnet50w-pooled.py"]

model = dict(
    neck=dict(
        _delete_=True,
        type="DepthwiseResidualPoolingNeck",
        in_channels=1024,
        num_blocks=2,
        inner_channels=128,
        drop_rate=0.2,
    ),
)
