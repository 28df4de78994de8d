r"""The whole-breast model with the depthwise-residual pooling neck in place of the Transformer.

Reproduces: the published alternative neck, two blocks. All else as the Transformer's config.
Costs: 0.5 M trained parameters.

    python tools/train.py \
        configs/multi_task/resnet50w-depthwise_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-image-1792x1024px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-image-1792x1024px.py"]

model = dict(
    neck=dict(_delete_=True, type="DepthwiseResidualPoolingNeck", in_channels=1024, num_blocks=2)
)
