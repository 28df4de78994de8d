r"""Background or lesion, of which kind: a small network on patches of synthetic exams.

The patch stage of end2end for two CPU cores: 400 synthetic patients, half of them with cancer,
half of the lesions calcifications, so that every class has enough; lesions as bright as the
source draws them by default. At 576 x 320 no pixel is larger than 0.4 mm, above which the source
loses its fine calcifications; 96 px hold all but the largest lesions whole. Random weights have
nothing to protect: all stages train everything, each with a smaller rate.
Expect an accuracy of 0.985 on test patients (configs/README.md), after 24 minutes of a busy core.

    python tools/prepare_dataset.py phantom --root work_dirs/demo/lesions_dicom \
        --out dataset/phantom_lesions --size 576x320 --splits train=0.765 val=0.085 test=0.15 \
        --source-options patients=400 prevalence=0.5 calcification_rate=0.5
    python tools/make_patches.py dataset/phantom_lesions --out dataset/phantom_patches \
        --set S10 --patch-size 96
    python tools/train.py \
        configs/demo/resnet18-pooled_1xb64-amp-staged-8e_phantom-lesions-patch-96px.py
"""

_base_ = [
    "../_base_/models/demo-patch-classifier.py",
    "../_base_/datasets/image-loaders.py",
    "../_base_/datasets/pipelines/demo-lesion-patch_96.py",
    "../_base_/schedules/demo-adamw.py",
    "../_base_/default_runtime.py",
]

train = dict(data_root="dataset/phantom_patches", pipeline=_base_.train_pipeline)
test = dict(data_root="dataset/phantom_patches", pipeline=_base_.test_pipeline)
train_dataloader = dict(batch_size=64, num_workers=1, dataset=train)
val_dataloader = dict(batch_size=64, num_workers=1, dataset=test)
test_dataloader = dict(batch_size=64, num_workers=1, dataset=test)
custom_hooks = [
    dict(type="ChannelsLastHook"),
    dict(
        type="StagedTrainingHook",
        stages=[
            dict(epochs=5, trainable=[".*"], lr=1e-3),
            dict(epochs=2, trainable=[".*"], lr=2e-4),
            dict(epochs=1, trainable=[".*"], lr=4e-5),
        ],
    ),
]
param_scheduler = []
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=8, val_interval=2)
