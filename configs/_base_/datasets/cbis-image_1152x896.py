# CBIS-DDSM prepared with --size 1152x896, malignant or not; the loaders of the patches' images.
_base_ = ["image-loaders.py", "pipelines/whole-image_1152x896.py"]

study = dict(data_root="dataset/cbis_ddsm", tasks=["malignant"])
train_dataloader = dict(
    batch_size=4, num_workers=4, dataset=dict(**study, pipeline=_base_.train_pipeline)
)
val_dataloader = dict(
    batch_size=8, num_workers=4, dataset=dict(**study, pipeline=_base_.test_pipeline)
)
test_dataloader = dict(
    batch_size=8, num_workers=4, dataset=dict(**study, pipeline=_base_.test_pipeline)
)
