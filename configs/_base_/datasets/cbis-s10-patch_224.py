# The set S10 of CBIS-DDSM at 1152 x 896, ten patches of each lesion and ten of background of each
# image, five classes. Prepare it once; --out dataset/cbis_ddsm_s and --set S give the set S.
#   python tools/prepare_dataset.py cbis_ddsm --root /data/cbis_ddsm --out dataset/cbis_ddsm
#       --size 1152x896 --splits train=0.765 val=0.085 test=0.15
#       --source-options official_split=false
#   python tools/make_patches.py dataset/cbis_ddsm --out dataset/cbis_ddsm_s10 --set S10
_base_ = ["image-loaders.py", "pipelines/lesion-patch_224.py"]

train = dict(data_root="dataset/cbis_ddsm_s10", pipeline=_base_.train_pipeline)
test = dict(data_root="dataset/cbis_ddsm_s10", pipeline=_base_.test_pipeline)
train_dataloader = dict(batch_size=256, num_workers=8, dataset=train)
val_dataloader = dict(batch_size=256, num_workers=8, dataset=test)
test_dataloader = dict(batch_size=256, num_workers=8, dataset=test)
