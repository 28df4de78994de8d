r"""Noisy labels, plain: cross-entropy, when three in ten labels of one of two makers are wrong.

The synthetic study (masses only, and every mass is a cancer, so that the noise is the difficulty):

    python tools/prepare_dataset.py phantom --root work_dirs/demo/two_makers_dicom \
        --out dataset/phantom_two_makers --size 192x112 --flip-to L \
        --splits train=0.5 val=0.1 test=0.4 --source-options patients=500 vendors=alpha,cobalt \
        prevalence=0.5 benign_rate=0 calcification_rate=0 lesion_contrast=2 image_size_hw=512,416

Labels of Cobalt are flipped with a probability of 0.3 in training, validation and test alike. A
minute on one CPU core. Expect the figures of configs/README.md ("Noisy labels").

    C=resnet18-pooled_1xb32-coslr-10e_two-makers-image-192x112px
    python tools/train.py configs/demo/$C.py
    python tools/test.py configs/demo/$C.py work_dirs/$C/epoch_10.pth
"""

_base_ = [
    "../_base_/models/resnet50-pooled.py",
    "../_base_/datasets/demo-image_192x112.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

model = dict(
    backbone=dict(depth=18, base_channels=16, stem_channels=16),
    head=dict(in_channels=128, tasks=dict(_delete_=True, malignant=dict(kind="binary"))),
)
noisy = dict(
    data_root="dataset/phantom_two_makers",
    tasks=["malignant"],
    flip_labels=dict(
        task="malignant", by="manufacturer", value="Cobalt Film Scanners", prob=0.3, seed=0
    ),
)
train_dataloader = dict(dataset=noisy)
val_dataloader = dict(dataset=noisy)
test_dataloader = dict(dataset=noisy)
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(lr=1e-3))
custom_hooks = [dict(type="ChannelsLastHook")]
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=10, val_interval=5)
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
