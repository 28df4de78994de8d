# The loaders of the demo at half its size.
_base_ = ["demo-image_384x224.py"]

size_hw = (192, 112)
load, warp, brightness, gamma, pack = _base_.train_pipeline
train_pipeline = [load, dict(warp, size_hw=size_hw), brightness, gamma, pack]
load, resize, pack = _base_.test_pipeline
test_pipeline = [load, dict(resize, size_hw=size_hw), pack]
train_dataloader = dict(batch_size=32, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
