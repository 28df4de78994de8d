r"""The whole-breast model with the Transformer neck and a backbone that trains as well.

The published scripts point to such a second phase; its config was not published.
Costs: gradients through 16.8 M parameters at 1792 x 1024. If 72 images do not fit:
--amp --cfg-options train_dataloader.batch_size=8 optim_wrapper.accumulative_counts=9

    python tools/train.py \
        configs/multi_task/resnet50w-transformer_barlowtwins-pre_1xb72-steplr-30e_lnm-image-1792x1024px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb72-frozen-steplr-30e_lnm-image-1792x1024px.py"]

model = dict(backbone=dict(frozen_stages=-1))
