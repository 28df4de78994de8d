# Whole breasts of the RSNA 2022 challenge. Prepare them once:
#   python tools/prepare_dataset.py rsna_2022 --root /data/rsna --out dataset/rsna_2022
#       --size 1536x768 --tasks malignant:binary
_base_ = ["image-loaders.py", "pipelines/screening_1536x768.py"]

train = dict(data_root="dataset/rsna_2022", tasks=["malignant"], pipeline=_base_.train_pipeline)
test = dict(data_root="dataset/rsna_2022", tasks=["malignant"], pipeline=_base_.test_pipeline)
train_dataloader = dict(batch_size=16, num_workers=8, dataset=train)
val_dataloader = dict(num_workers=8, dataset=test)
test_dataloader = dict(num_workers=8, dataset=test)
