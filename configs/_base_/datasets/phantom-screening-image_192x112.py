# Whole breasts of the synthetic screening study, small enough for two CPU cores. Drawn and prepared
# as configs/studies/phantom-screening.py says.
_base_ = ["image-loaders.py", "pipelines/small-screening_192x112.py"]

train = dict(
    data_root="dataset/phantom_screening", tasks=["malignant"], pipeline=_base_.train_pipeline
)
test = dict(
    data_root="dataset/phantom_screening", tasks=["malignant"], pipeline=_base_.test_pipeline
)
train_dataloader = dict(batch_size=32, num_workers=1, dataset=train)
val_dataloader = dict(batch_size=64, num_workers=1, dataset=test)
test_dataloader = dict(batch_size=64, num_workers=1, dataset=test)
