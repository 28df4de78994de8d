model = dict(
    type="SwAV",
    data_preprocessor=dict(type="SelfSupDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(
        type="NarrowLateResNet",
        depth=50,
        in_channels=1,
        norm_cfg=dict(type="SyncBN"),
        zero_init_residual=True,
    ),
    neck=dict(
        type="SwAVNeck",
        in_channels=1024,
        hid_channels=512,
        out_channels=128,
        norm_cfg=dict(type="SyncBN"),
    ),
    head=dict(
        type="SwAVHead",
        loss=dict(
            type="GlobalSwAVLoss",
            feat_dim=128,
            num_prototypes=300,
            num_crops=[2, 6],
            crops_for_assign=[0, 1],
            epsilon=0.05,
            temperature=0.1,
            queue_length=1280,
        ),
    ),
)
