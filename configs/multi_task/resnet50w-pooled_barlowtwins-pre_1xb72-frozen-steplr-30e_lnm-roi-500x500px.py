r"""The region model with plain average pooling.

Reproduces: the published baseline for regions.

    python tools/train.py \
        configs/multi_task/resnet50w-pooled_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-roi-500x500px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-roi-500x500px.py"]

model = dict(neck=dict(_delete_=True, type="GlobalAveragePooling"))
