r"""Barlow Twins on patches of a study of 500 synthetic patients.

The pretraining of the demo on more images, for 10 epochs of 4 patches an image. The study:

    python tools/prepare_dataset.py phantom --root work_dirs/demo/study_dicom \
        --out dataset/phantom_study --size 384x224 --flip-to L \
        --source-options patients=500 prevalence=0.5 lesion_contrast=1.5

Expect the figures of configs/README.md.

    python tools/train.py \
        configs/demo/barlowtwins_resnet50w_1xb64-amp-coslr-10e_phantom-study-patch-96px.py
"""

_base_ = ["barlowtwins_resnet50w_1xb64-amp-coslr-4e_phantom-patch-96px.py"]

train_dataloader = dict(dataset=dict(data_root="dataset/phantom_study", patches_per_image=4))
train_cfg = dict(max_epochs=10)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=True, end=1, convert_to_iter_based=True),
    dict(
        type="CosineAnnealingLR",
        T_max=9,
        begin=1,
        end=10,
        by_epoch=True,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=10))
