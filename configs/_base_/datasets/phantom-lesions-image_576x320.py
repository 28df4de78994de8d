# Loaders of the synthetic study of lesions: whole images, benign or malignant.
_base_ = ["image-loaders.py", "pipelines/demo_576x320.py"]

study = dict(data_root="dataset/phantom_lesions", tasks=["malignant"])
train_dataloader = dict(
    batch_size=8, num_workers=1, dataset=dict(**study, pipeline=_base_.train_pipeline)
)
val_dataloader = dict(num_workers=1, dataset=dict(**study, pipeline=_base_.test_pipeline))
test_dataloader = dict(num_workers=1, dataset=dict(**study, pipeline=_base_.test_pipeline))
