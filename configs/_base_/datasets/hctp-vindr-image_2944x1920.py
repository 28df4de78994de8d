# One hospital with labels, another without, as DoSReMC trains adversarially: batches of 4 + 4. See
# hctp-image_2944x1920.py; the other hospital's tables are prepared in the same way.
_base_ = ["hctp-image_2944x1920.py"]

train_dataloader = dict(
    batch_sampler=dict(
        type="GroupBatchSampler", groups="domain", epoch="source", keep_together="breast"
    ),
    dataset=dict(
        _delete_=True,
        type="ConcatDataset",
        datasets=[
            dict(
                type="MammographyDataset",
                data_root="dataset/hctp",
                ann_file="annotations/train.json",
                pipeline=_base_.train_pipeline,
                domain="source",
            ),
            dict(
                type="MammographyDataset",
                data_root="dataset/vindr",
                ann_file="annotations/train.json",
                pipeline=_base_.train_pipeline,
                tasks=["benign:binary", "malignant:binary"],
                domain="target",
                unlabelled=True,
            ),
        ],
    ),
)
