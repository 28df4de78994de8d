"""DoSReMC: Adam with a constant rate; the checkpoint of the best validation is kept."""

_base_ = ["../default_runtime.py"]

optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="Adam", lr=6.4e-6, weight_decay=1e-3))
param_scheduler = []
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=50, val_interval=1)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(save_best="malignant/average_precision"))

# Used with --auto-scale-lr only.
auto_scale_lr = dict(enable=False, base_batch_size=8)
