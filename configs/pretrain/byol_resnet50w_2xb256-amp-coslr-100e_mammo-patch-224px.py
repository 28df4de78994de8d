"""BYOL on patches of mammograms, as Mammography-nils trains it.

Reproduces: its protocol (BYOL, arXiv:2006.07733): two views of 224 px, neck 1024-512-128,
predictor 128-512-128, momentum of the target from 0.99 to 1 by a cosine, LARS 0.6,
5 epochs of warm-up, cosine over 95.
Differs: one channel of 16 bits instead of three of 8; random initial weights (the config
with -in1k-pre_ in its name starts from ImageNet as published); patches drawn on the fly;
no resume=True inside (that file is named 120e and trains 100).
Costs: 16.8 M parameters twice; 2 GPUs. 10^6 patches take 50 PFLOP.
Expect: a loss that falls from about 4 (0 is agreement of both views in both directions).
A quick fall to 0 is collapse. It has not been run at full length here;
tests/test_pretraining.py shows the learning in small.

    tools/dist_train.sh configs/pretrain/byol_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px.py 2
"""

_base_ = [
    "../_base_/models/byol_resnet50w.py",
    "../_base_/datasets/mammo-patch_224.py",
    "../_base_/datasets/pipelines/ssl-patch_224.py",
    "../_base_/schedules/lars-amp-100e.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
# Norms and biases: no decay, no layer-wise scaling.
plain = dict(decay_mult=0, lars_exclude=True)
optim_wrapper = dict(
    paramwise_cfg=dict(custom_keys={"bn": plain, "bias": plain, "downsample.1": plain})
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-4, by_epoch=True, end=5, convert_to_iter_based=True),
    dict(type="CosineAnnealingLR", T_max=95, by_epoch=True, begin=5, end=100),
]
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3))
