# Whole breasts with the five outcomes of a lymph-node study. Prepare them once:
#   python tools/prepare_dataset.py table --root /data/lnm --out dataset/lnm --size 2048x1152
#       --tasks N:binary LVI:binary multifocality:binary NumPos:regression tumor_size:regression
_base_ = ["pipelines/full-breast_1792x1024.py"]

data_root = "dataset/lnm"
dataset_type = "MammographyDataset"
train_dataloader = dict(
    batch_size=72,
    num_workers=8,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="annotations/train.json",
        pipeline=_base_.train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="annotations/val.json",
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=8,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file="annotations/test.json",
        pipeline=_base_.test_pipeline,
        test_mode=True,
    ),
)
val_evaluator = dict(type="MultiTaskMetric")
test_evaluator = val_evaluator
