# Whole breasts of one hospital with the outcomes of DoSReMC. Prepare its tables once:
#   python tools/prepare_dataset.py dosremc --root /data/dosremc --out dataset/hctp
#       --source-options hospitals=HCTP
_base_ = ["image-loaders.py", "pipelines/full-breast_2944x1920.py"]

train = dict(data_root="dataset/hctp", pipeline=_base_.train_pipeline)
test = dict(data_root="dataset/hctp", pipeline=_base_.test_pipeline)
train_dataloader = dict(batch_size=8, num_workers=8, dataset=train)
val_dataloader = dict(batch_size=8, num_workers=8, dataset=test)
test_dataloader = dict(batch_size=8, num_workers=8, dataset=test)
