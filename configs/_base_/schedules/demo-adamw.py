# AdamW with a warm-up over the first epoch, then a cosine; the config states the epochs.
optim_wrapper = dict(
    type="AmpOptimWrapper",
    optimizer=dict(type="AdamW", lr=5e-4, weight_decay=0.05),
    clip_grad=dict(max_norm=5),
)
val_cfg = dict()
test_cfg = dict()
