r"""DA_BNFC with ResNet-50 with average pooling.

Not published: adversarial training of batch norm and linear layers, as with the globally-aware
classifier. Starts from: the source-only config beside it; needs no more memory.

    python tools/train.py \
        configs/adaptation/dann_resnet50-pooled_hctp-pre_1xb8-bnfc-constlr-50e_hctp-vindr-image-2944x1920px.py
"""

_base_ = [
    "../_base_/models/resnet50-pooled.py",
    "../_base_/datasets/hctp-vindr-image_2944x1920.py",
    "../_base_/schedules/adam-constlr-50e.py",
]

model = dict(
    type="DomainAdversarialClassifier", domain_head=dict(type="DomainHead", in_channels=2048)
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
pretrained = "work_dirs/resnet50-pooled_1xb8-constlr-50e_hctp-image-2944x1920px/epoch_50.pth"
custom_hooks = [
    dict(type="AdversarialStrengthHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained, module="", allow=("domain_head.*",)),
    dict(type="SelectTrainableHook", freeze_types=("Conv2d",)),
]
