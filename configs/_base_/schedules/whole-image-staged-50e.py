# The end2end whole-image classifier: new layers alone, then all; Adam, batches of 12 made of
# three of four. The config names the stages in custom_hooks, behind what loads the patch network.
_base_ = ["../default_runtime.py"]

new_layers = dict(epochs=30, trainable=["neck", "head"], lr=1e-4, weight_decay=1e-3)
all_layers = dict(epochs=20, trainable=[".*"], lr=1e-5, weight_decay=1e-3)
stages = [new_layers, all_layers]
optim_wrapper = dict(
    type="OptimWrapper", optimizer=dict(type="Adam", lr=1e-4), accumulative_counts=3
)
param_scheduler = []
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=50, val_interval=1)
val_cfg = dict()
test_cfg = dict()
default_hooks = dict(checkpoint=dict(save_best="malignant/roc_auc"))
