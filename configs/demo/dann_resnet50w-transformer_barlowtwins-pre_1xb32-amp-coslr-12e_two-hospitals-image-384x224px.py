r"""Domain-adversarial: labels of one synthetic hospital, unlabelled images of another.

Half of each batch from either; an epoch is once through the source.

    python tools/train.py \
        configs/demo/dann_resnet50w-transformer_barlowtwins-pre_1xb32-amp-coslr-12e_two-hospitals-image-384x224px.py
"""

_base_ = ["resnet50w-transformer_barlowtwins-pre_1xb16-amp-coslr-12e_hospital-image-384x224px.py"]

model = dict(
    type="DomainAdversarialClassifier",
    domain_head=dict(type="DomainHead", in_channels=512),
)
source = dict(
    type="MammographyDataset",
    data_root="dataset/hospital_alpha",
    ann_file="annotations/train.json",
    tasks=["malignant"],
    domain="source",
    pipeline=_base_.train_pipeline,
)
target = dict(source, data_root="dataset/hospital_cobalt", domain="target", unlabelled=True)
target["tasks"] = ["malignant:binary"]
train_dataloader = dict(
    batch_size=32,
    batch_sampler=dict(
        type="GroupBatchSampler", groups="domain", epoch="source", keep_together="breast"
    ),
    dataset=dict(_delete_=True, type="ConcatDataset", datasets=[source, target]),
)
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(type="LoadPretrainedHook", checkpoint=_base_.pretrained),
    dict(type="AdversarialStrengthHook"),
]
