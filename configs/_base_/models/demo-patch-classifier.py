# The patch classifier at half the width and 18 layers, for two CPU cores.
_base_ = ["patch-classifier_resnet50.py"]

model = dict(
    backbone=dict(depth=18, stem_channels=32, base_channels=32),
    head=dict(in_channels=256),
)
