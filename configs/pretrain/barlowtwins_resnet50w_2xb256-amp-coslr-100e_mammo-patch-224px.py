"""Barlow Twins on patches of mammograms, as Mammography-nils trains its backbone.

Reproduces: its protocol (Barlow Twins, arXiv:2103.03230): two views of 224 px, neck
1024-512-128, lambda 0.0051, LARS 0.6, 5 epochs of warm-up, cosine over 95.
Differs: one channel of 16 bits instead of three of 8; random initial weights (the config
with -in1k-pre_ in its name starts from ImageNet as published); patches drawn on the fly.
Costs: 16.8 M parameters; 2 GPUs. 10^6 patches take 37 PFLOP.
Expect: a loss that falls from some tens to a few; 128 is the value of unrelated views. It
has not been run at full length here; tests/test_pretraining.py shows the learning in small.

    tools/dist_train.sh \
        configs/pretrain/barlowtwins_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px.py 2
"""

_base_ = [
    "../_base_/models/barlowtwins_resnet50w.py",
    "../_base_/datasets/mammo-patch_224.py",
    "../_base_/datasets/pipelines/ssl-patch_224.py",
    "../_base_/schedules/lars-amp-100e.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
# Norms and biases: no decay, no layer-wise scaling, and so a rate of their own.
plain = dict(decay_mult=0, lr_mult=0.024, lars_exclude=True)
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={"bn": plain, "bias": plain, "downsample.1": plain})
)
param_scheduler = [
    dict(
        type="LinearLR",
        start_factor=1.6e-4,
        by_epoch=True,
        end=5,
        convert_to_iter_based=True,
    ),
    dict(
        type="CosineAnnealingLR",
        T_max=95,
        eta_min=8e-4,
        by_epoch=True,
        begin=5,
        end=100,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3))
