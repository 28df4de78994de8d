# Patches of 224 px from inside the breasts of any prepared study, no labels. Prepare it once:
#   python tools/prepare_dataset.py table --root /data/study --out dataset/mammo
# Only the training split is read: pretraining on test patients would leak.
# Patch files instead of patches on the fly: ann_file=patches.txt (a path per line),
# patches_per_image=1 and patch_size_hw=None.
# The pipeline comes from pipelines/ssl-patch_224.py or ssl-patch-multicrop_224.py.
train_dataloader = dict(
    batch_size=256,
    num_workers=16,
    persistent_workers=True,
    drop_last=True,  # batches of equal size on all processes; BN needs several images
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="default_collate"),
    dataset=dict(
        type="BreastPatchDataset",
        data_root="dataset/mammo",
        ann_file="annotations/train.json",
        patch_size_hw=(224, 224),
        patches_per_image=16,
    ),
)
