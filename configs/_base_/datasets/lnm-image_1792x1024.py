# Whole breasts with the five outcomes of a lymph-node study. Prepare them once:
#   python tools/prepare_dataset.py table --root /data/lnm --out dataset/lnm --size 2048x1152
#       --tasks N:binary LVI:binary multifocality:binary NumPos:regression tumor_size:regression
# Numbers of nodes and sizes must come scaled to about [0, 1], as published: the loss is squared.
_base_ = ["image-loaders.py", "pipelines/full-breast_1792x1024.py"]

train = dict(data_root="dataset/lnm", pipeline=_base_.train_pipeline)
test = dict(data_root="dataset/lnm", pipeline=_base_.test_pipeline)
train_dataloader = dict(batch_size=72, num_workers=8, dataset=train)
val_dataloader = dict(num_workers=8, dataset=test)
test_dataloader = dict(num_workers=8, dataset=test)
