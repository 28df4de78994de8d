r"""Dense or fatty: 54 real films, for the study of a change of contrast.

Starts from the weights of the synthetic hospital. See configs/studies/film-contrast.py.

    python tools/train.py \
        configs/demo/resnet50w-transformer_barlowtwins-pre_1xb8-amp-coslr-40e_ddsm-image-384x224px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_hospital-image-384x224px.py"]

model = dict(head=dict(tasks=dict(_delete_=True, dense=dict(kind="binary"))))
films = dict(data_root="dataset/ddsm_film", tasks=["dense"])
train_dataloader = dict(batch_size=8, dataset=films)
val_dataloader = dict(dataset=films)
test_dataloader = dict(dataset=films)
train_cfg = dict(max_epochs=40, val_interval=10)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=39,
        begin=1,
        end=40,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=40))
