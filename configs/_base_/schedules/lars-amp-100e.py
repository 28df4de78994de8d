# LARS for 100 epochs with a batch of 512 over all GPUs (--auto-scale-lr adapts to others).
optim_wrapper = dict(
    type="AmpOptimWrapper",
    optimizer=dict(type="LARS", lr=0.6, momentum=0.9, weight_decay=1e-6),
)
train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=100)
auto_scale_lr = dict(base_batch_size=512)
