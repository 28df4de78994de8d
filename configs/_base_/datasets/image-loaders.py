# Loaders of a prepared study with labels; the config adds data_root, pipelines and batch sizes.
train_dataloader = dict(
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="MammographyDataset", ann_file="annotations/train.json"),
)
val_dataloader = dict(
    batch_size=32,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="MammographyDataset", ann_file="annotations/val.json", test_mode=True),
)
test_dataloader = dict(
    batch_size=32,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="MammographyDataset", ann_file="annotations/test.json", test_mode=True),
)
val_evaluator = dict(type="MultiTaskMetric")
test_evaluator = val_evaluator
