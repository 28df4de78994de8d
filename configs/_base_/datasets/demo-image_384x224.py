# Loaders of a study prepared for the demo; the config names the study in data_root.
_base_ = ["pipelines/demo_384x224.py"]

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type="MammographyDataset", ann_file="annotations/train.json", pipeline=_base_.train_pipeline
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="MammographyDataset",
        ann_file="annotations/val.json",
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=1,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type="MammographyDataset",
        ann_file="annotations/test.json",
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type="MultiTaskMetric")
test_evaluator = val_evaluator
