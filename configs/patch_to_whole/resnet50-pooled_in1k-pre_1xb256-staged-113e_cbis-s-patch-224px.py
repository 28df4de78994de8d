r"""Background or lesion, of which kind: ResNet-50 on one patch at each lesion's centre (set S).

Reproduces: the patch classifier of end2end on its set S; the last stage takes 100 epochs.
Published: accuracy 0.800 on validation and 0.812 on test patches. Not run here.

    python tools/train.py \
        configs/patch_to_whole/resnet50-pooled_in1k-pre_1xb256-staged-113e_cbis-s-patch-224px.py
"""

_base_ = ["resnet50-pooled_in1k-pre_1xb256-staged-50e_cbis-s10-patch-224px.py"]

train_dataloader = dict(dataset=dict(data_root="dataset/cbis_ddsm_s"))
val_dataloader = dict(dataset=dict(data_root="dataset/cbis_ddsm_s"))
test_dataloader = dict(dataset=dict(data_root="dataset/cbis_ddsm_s"))
stages = [_base_.head, _base_.last_block, dict(_base_.everything, epochs=100)]
custom_hooks = [_base_.imagenet, dict(type="StagedTrainingHook", stages=stages)]
train_cfg = dict(max_epochs=113)
