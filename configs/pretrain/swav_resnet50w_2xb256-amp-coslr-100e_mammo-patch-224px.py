"""SwAV with eight crops on patches of mammograms, as Mammography-nils trains it.

Reproduces: its protocol (SwAV, arXiv:2006.09882): 2 crops of 224 px (25 to 100 % of the
patch) and 6 of 96 px (10 to 25 %), neck 1024-512-128, 300 prototypes that stay as they
begin for 1200 iterations, epsilon 0.05, temperature 0.1, queue from epoch 8, plain LARS
0.6 and cosine over 100 epochs without warm-up.
Differs: one channel of 16 bits instead of three of 8; random initial weights (the config
with -in1k-pre_ in its name starts from ImageNet as published); patches drawn on the fly;
the queue holds all 1280 features (MMPreTrain cuts it to a multiple of the batch, 1024).
Costs: 16.8 M parameters; 2 GPUs. 10^6 patches take 58 PFLOP.
Expect: a loss that begins near log 300 = 5.7, which is chance, and falls. It has not been
run at full length here; tests/test_pretraining.py shows the learning in small.

    tools/dist_train.sh configs/pretrain/swav_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px.py 2
"""

_base_ = [
    "../_base_/models/swav_resnet50w.py",
    "../_base_/datasets/mammo-patch_224.py",
    "../_base_/datasets/pipelines/ssl-patch-multicrop_224.py",
    "../_base_/schedules/lars-amp-100e.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
param_scheduler = dict(
    type="CosineAnnealingLR",
    T_max=100,
    eta_min=6e-3,
    by_epoch=True,
    convert_to_iter_based=True,
)
default_hooks = dict(checkpoint=dict(interval=10, max_keep_ckpts=3))
custom_hooks = [
    dict(type="SwAVQueueHook", start_epoch=8),
    dict(
        type="FreezeParametersHook",
        prefixes=["head.loss_module.prototypes"],
        num_iters=1200,
    ),
]
