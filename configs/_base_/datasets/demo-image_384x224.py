# Loaders of a study prepared for the demo; the config names the study in data_root.
_base_ = ["image-loaders.py", "pipelines/demo_384x224.py"]

train_dataloader = dict(batch_size=16, num_workers=1, dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(num_workers=1, dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(num_workers=1, dataset=dict(pipeline=_base_.test_pipeline))
