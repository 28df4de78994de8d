r"""MammographyAI (system B): ConvNeXt-small with learned attenuation, under a weighted sampler.

Reproduces: its launch file (batch 32, 5 epochs, AdamW at 1e-6 with decay 1e-4, x 0.95 after five
epochs, the first 24 of 42 groups frozen, ten samples of the logit) from its checkpoint, the second
place of RSNA 2022, which the user has on disk in MMPreTrain's names.
Differs, where it did not do what it meant to: the sampler draws with replacement, so half of the
images are cancers; one sigmoid, and the likelihood is averaged over the samples inside the
logarithm (Kendall & Gal 2017); the threshold is chosen on the validation; both classes are
augmented. Scores are those of a half of cancers: CorrectPriorHook gives those of the population.
Costs: 32 images of 1536 x 1536 at a time; on a smaller GPU --cfg-options
train_dataloader.batch_size=8 optim_wrapper.accumulative_counts=4. No result is published, and it
was not run here for want of GPU and data.

    python tools/train.py \
        configs/screening/attenuated_convnext-small_rsna-pre_1xb32-partial-steplr-5e_embed-csaw-image-1536px.py
"""

_base_ = ["../_base_/datasets/embed-csaw-image_1536.py", "../_base_/default_runtime.py"]

model = dict(
    type="ImageClassifier",
    # Its mean and standard deviation of 8-bit images, from 0 to 1.
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.30402], std=[0.203355]),
    backbone=dict(
        type="ConvNeXt", arch="small", in_channels=1, drop_path_rate=0.4, gap_before_final_norm=True
    ),
    head=dict(
        type="MaskedMultiTaskHead",
        in_channels=768,
        tasks=dict(malignant=dict(kind="binary", attenuation=dict(samples=10))),
    ),
)
train_dataloader = dict(
    sampler=dict(_delete_=True, type="WeightedSampler", groups="malignant"),
)
screening = dict(type="ScreeningMetric", subgroups=("domain",))
val_evaluator = [dict(type="MultiTaskMetric"), screening]
test_evaluator = val_evaluator
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1e-6, weight_decay=1e-4))
param_scheduler = dict(type="StepLR", by_epoch=True, step_size=5, gamma=0.95)
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=5, val_interval=1)
val_cfg = dict()
test_cfg = dict()
custom_hooks = [
    dict(type="LoadPretrainedHook", checkpoint="weights/rsna-2nd-place_convnext-small.pth"),
    dict(type="SelectTrainableHook", freeze_groups=(24, 42)),
    dict(type="CarryThresholdHook", rule="youden"),
]
