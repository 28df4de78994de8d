# The published LARS recipe in small: warm-up over the first tenth, then a cosine.
plain = dict(decay_mult=0, lr_mult=0.024, lars_exclude=True)
optim_wrapper = dict(
    type="AmpOptimWrapper",
    optimizer=dict(type="LARS", lr=1.2, momentum=0.9, weight_decay=1e-6),
    paramwise_cfg=dict(custom_keys={"bn": plain, "bias": plain, "downsample.1": plain}),
)
