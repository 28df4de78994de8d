# Barlow Twins at half the width, for two CPU cores.
_base_ = ["barlowtwins_resnet50w.py"]

model = dict(
    backbone=dict(base_channels=32, stem_channels=32), neck=dict(in_channels=512, hid_channels=256)
)
custom_hooks = [dict(type="ChannelsLastHook")]
