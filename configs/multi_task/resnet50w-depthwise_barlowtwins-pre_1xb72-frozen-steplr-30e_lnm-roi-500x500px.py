r"""The region model with the depthwise-residual pooling neck, one block.

Reproduces: the published alternative neck for regions.

    python tools/train.py \
        configs/multi_task/resnet50w-depthwise_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-roi-500x500px.py"]

model = dict(
    neck=dict(_delete_=True, type="DepthwiseResidualPoolingNeck", in_channels=1024, num_blocks=1)
)
