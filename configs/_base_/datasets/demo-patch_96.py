# Patches of 96 px drawn from the training images of a study prepared for the demo.
_base_ = ["pipelines/demo-ssl-patch_96.py"]

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        type="BreastPatchDataset",
        ann_file="annotations/train.json",
        patch_size_hw=(96, 96),
        patches_per_image=8,
        pipeline=_base_.train_pipeline,
    ),
)
