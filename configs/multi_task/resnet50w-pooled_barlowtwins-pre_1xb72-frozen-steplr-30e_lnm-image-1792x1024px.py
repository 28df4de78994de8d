r"""The whole-breast model with plain average pooling: what a neck has to beat.

Reproduces: the published third baseline. All else as the Transformer's config.
Costs: 5 k trained parameters.

    python tools/train.py \
        configs/multi_task/resnet50w-pooled_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-image-1792x1024px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-image-1792x1024px.py"]

model = dict(neck=dict(_delete_=True, type="GlobalAveragePooling"))
