model = dict(
    type="BarlowTwins",
    data_preprocessor=dict(type="SelfSupDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(
        type="NarrowLateResNet",
        depth=50,
        in_channels=1,
        norm_cfg=dict(type="SyncBN"),
        zero_init_residual=True,
    ),
    neck=dict(
        type="NonLinearNeck",
        in_channels=1024,
        hid_channels=512,
        out_channels=128,
        num_layers=2,
        with_last_bn=False,
        norm_cfg=dict(type="SyncBN"),
        init_cfg=dict(type="Kaiming", distribution="uniform", layer=["Linear"]),
    ),
    head=dict(type="GlobalCrossCorrelationHead", redundancy_weight=0.0051),
)
