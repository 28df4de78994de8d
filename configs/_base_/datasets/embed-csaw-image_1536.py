# Screening images of EMBED and CSAW-CC together. Prepare them once:
#   python tools/prepare_dataset.py embed --root /data/embed --out dataset/embed
#       --size 1536x1536 --tasks malignant:binary --source-options exams=screening
#   python tools/prepare_dataset.py csaw_cc --root /data/csaw --out dataset/csaw_cc
#       --size 1536x1536 --tasks malignant:binary
_base_ = ["image-loaders.py", "pipelines/screening_1536.py"]

image = dict(type="MammographyDataset", tasks=["malignant"], labelled_only=True)
sources = [
    dict(data_root="dataset/embed", domain="embed"),
    dict(data_root="dataset/csaw_cc", domain="csaw"),
]
train = dict(**image, ann_file="annotations/train.json", pipeline=_base_.train_pipeline)
val = dict(**image, ann_file="annotations/val.json", pipeline=_base_.test_pipeline, test_mode=True)
both = dict(_delete_=True, type="ConcatDataset")
train_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(**both, datasets=[dict(**train, **source) for source in sources]),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(**both, datasets=[dict(**val, **source) for source in sources]),
)
test = dict(val, ann_file="annotations/test.json")
test_dataloader = dict(
    batch_size=32,
    num_workers=8,
    dataset=dict(**both, datasets=[dict(**test, **source) for source in sources]),
)
