"""Multi-task fine-tuning of the published system: AdamW, learning rate x 0.95 per epoch."""

optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=1e-3, betas=(0.9, 0.999), eps=1e-8),
    clip_grad=dict(max_norm=35, norm_type=2),
)
param_scheduler = dict(type="StepLR", by_epoch=True, step_size=1, gamma=0.95)

train_cfg = dict(type="ReproducibleEpochLoop", max_epochs=30, val_interval=1)
val_cfg = dict()
test_cfg = dict()

# Used with --auto-scale-lr only.
auto_scale_lr = dict(enable=False, base_batch_size=256)
