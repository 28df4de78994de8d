r"""The five outcomes from tumour regions of 500 x 500 px, Transformer neck, frozen backbone.

Reproduces: the region model of Mammography-nils: 15 x 15 tokens, all else as for whole breasts.
The paper found the whole breast comparable to the regions.

    python tools/train.py \
        configs/multi_task/resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-roi-500x500px.py
"""

_base_ = [
    "../_base_/models/lnm-transformer.py",
    "../_base_/datasets/lnm-roi_500.py",
    "../_base_/schedules/adamw-steplr-30e.py",
    "../_base_/default_runtime.py",
]

model = dict(
    neck=dict(input_size_hw=(500, 500), pool=dict(_delete_=True, kernel_size=2, stride=1)),
)
default_hooks = dict(checkpoint=dict(interval=5, save_best="N/bce"))
