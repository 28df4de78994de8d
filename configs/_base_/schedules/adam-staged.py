"""Adam in stages that a config's StagedTrainingHook states, as end2end trains.

The checkpoint of the best validation accuracy over all stages is kept.
"""

_base_ = ["../default_runtime.py"]

optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-3))
param_scheduler = []  # Each stage has a constant rate.
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(save_best="lesion/accuracy"))
