"""How every config runs: hooks, logs, seed. TensorBoard: `tools/train.py ... --tensorboard`."""

default_scope = "mmpretrain"
custom_imports = dict(imports=["mammography.plugin"], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=10),
    param_scheduler=dict(type="ParamSchedulerHook"),
    # Two are kept: the older one is deleted before the newer one is written.
    checkpoint=dict(
        type="CheckpointHook",
        interval=1,
        max_keep_ckpts=2,
        greater_keys=[
            "/roc_auc",
            "/average_precision",
            "/accuracy",
            "/quadratic_kappa",
            "/r2",
            "/pearson",
            "/pf1",
            "/sensitivity",
            "/specificity",
        ],
        less_keys=["/bce", "/cross_entropy", "/mse", "loss"],
    ),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    tasks=dict(type="CheckTasksHook"),
    imbalance=dict(type="CheckImbalanceHook"),
    images=dict(type="CheckImagesHook"),
    norm_statistics=dict(type="AverageNormStatisticsHook"),
    halt=dict(type="HaltOnNonFiniteLossHook"),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl", timeout=1800),
)

vis_backends = [dict(type="LocalVisBackend")]
visualizer = dict(type="UniversalVisualizer", vis_backends=vis_backends)

randomness = dict(seed=0, deterministic=False)
log_level = "INFO"
launcher = "none"
load_from = None
resume = False
