model = dict(
    type="BYOL",
    # 1 - tau: the target starts as 0.99 old + 0.01 new weights. It moves at every forward pass:
    # with gradients accumulated over k passes, divide by k.
    base_momentum=0.01,
    data_preprocessor=dict(type="SelfSupDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(
        type="NarrowLateResNet",
        depth=50,
        in_channels=1,
        norm_cfg=dict(type="SyncBN"),
        zero_init_residual=False,
    ),
    neck=dict(
        type="NonLinearNeck",
        in_channels=1024,
        hid_channels=512,
        out_channels=128,
        num_layers=2,
        with_bias=True,
        with_last_bn=False,
        norm_cfg=dict(type="SyncBN"),
    ),
    head=dict(
        type="LatentPredictHead",
        predictor=dict(
            type="NonLinearNeck",
            in_channels=128,
            hid_channels=512,
            out_channels=128,
            num_layers=2,
            with_bias=True,
            with_last_bn=False,
            with_avg_pool=False,
            norm_cfg=dict(type="SyncBN"),
        ),
        # BYOL doubles it: the loss is 2 - 2 cos as in the paper, from 0 (agreement) to 8.
        loss=dict(type="CosineSimilarityLoss", shift_factor=1.0),
    ),
)
