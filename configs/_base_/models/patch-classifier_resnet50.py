# ResNet-50 on patches of one grey channel: background, or one of four kinds of lesion.
_base_ = ["resnet50-pooled.py"]

model = dict(
    head=dict(tasks=dict(_delete_=True, lesion=dict(kind="multiclass", num_classes=5))),
)
