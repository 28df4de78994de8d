# The lymph-node study: its five outcomes, on a backbone frozen after self-supervision.
_base_ = ["resnet50w-transformer.py"]

model = dict(
    backbone=dict(frozen_stages=4),
    head=dict(
        tasks=dict(
            _delete_=True,
            N=dict(kind="binary", loss_weight=1.0),
            LVI=dict(kind="binary", loss_weight=0.5),
            multifocality=dict(kind="binary", loss_weight=0.5),
            NumPos=dict(kind="regression", loss_weight=0.5),
            tumor_size=dict(kind="regression", loss_weight=0.5),
        ),
    ),
)
pretrained = "work_dirs/barlowtwins_resnet50w_2xb256-amp-coslr-100e_mammo-patch-224px/epoch_80.pth"
custom_hooks = [dict(type="LoadPretrainedHook", checkpoint=pretrained)]
