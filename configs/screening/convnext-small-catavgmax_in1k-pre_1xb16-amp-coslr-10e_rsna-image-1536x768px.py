r"""Best practice for rare cancers: what helped in the study of synthetic screening, on RSNA 2022.

A weighted sampler with replacement ranked best at an equal number of steps there; its scores are
moved back to the prevalence of the population, and the threshold of the validation goes with the
checkpoint. The rest is what larger images need: ConvNeXt-small from ImageNet with average and
maximum pooling, rates that fall by layer, one augmentation for both classes, the best weights by
average precision, results by site, machine and implant.
Costs: 10 epochs of 2,400 steps at 1536 x 768 in mixed precision. Not run here for want of GPU and
data, so no figure is promised.
Offline: fetch the file, then --cfg-options custom_hooks.0.checkpoint=FILE

    python tools/train.py \
        configs/screening/convnext-small-catavgmax_in1k-pre_1xb16-amp-coslr-10e_rsna-image-1536x768px.py
"""

_base_ = [
    "../_base_/models/convnext-small_catavgmax.py",
    "../_base_/datasets/rsna-image_1536x768.py",
    "../_base_/default_runtime.py",
]

train_dataloader = dict(sampler=dict(_delete_=True, type="WeightedSampler", groups="malignant"))
subgroups = ("site_id", "machine_id", "implant", "view_position")
val_evaluator = [
    dict(type="MultiTaskMetric"),
    dict(type="ScreeningMetric", subgroups=subgroups),
]
test_evaluator = val_evaluator
optim_wrapper = dict(
    type="AmpOptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-4, weight_decay=0.05),
    constructor="LearningRateDecayOptimWrapperConstructor",
    paramwise_cfg=dict(layer_decay_rate=0.8),
    clip_grad=dict(max_norm=5),
)
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
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=10, val_interval=1)
val_cfg = dict()
test_cfg = dict()
weights = "https://mmassets.onedl.ai/mmclassification/v0/convnext/convnext-small_32xb128_in1k_20221207-4ab7052c.pth"
scale = [0.5 / 0.229, 0.5 / 0.224, 0.5 / 0.225]  # our standard deviation over ImageNet's, by colour
custom_hooks = [
    dict(type="LoadPretrainedHook", checkpoint=weights, stem_scale=scale),
    dict(type="CorrectPriorHook", trained=0.5, population=0.021),
    dict(type="CarryThresholdHook", rule="sensitivity_at_specificity", at_least=0.9),
]
default_hooks = dict(checkpoint=dict(save_best="malignant/average_precision"))
