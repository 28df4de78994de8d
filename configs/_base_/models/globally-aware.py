# Globally-aware multiple-instance classifier: a ResNet-22 on the whole mammogram of 2944 x 1920
# chooses six crops for a ResNet-18. 14.1 million weights; an image costs one CPU core 0.9 s to
# predict and 2.8 s to learn from, for which 0.7 GB of activations are kept in float32.
# The saliency weight is for batches of 8 over all processes; for other batches, 8 times the
# weight with saliency_reduction="mean" is the same penalty per image.
model = dict(
    type="ImageClassifier",
    data_preprocessor=dict(type="ClsDataPreprocessor", mean=[0.5], std=[0.5]),
    backbone=dict(
        type="GloballyAwareBackbone",
        global_network=dict(type="PreActivationResNet", in_channels=1),
        local_network=dict(type="ResNet", depth=18, in_channels=1),
        num_classes=2,
        global_channels=256,
        crop_size_hw=(256, 256),
        num_crops=6,
    ),
    head=dict(
        type="GloballyAwareHead",
        tasks=dict(benign=dict(kind="binary"), malignant=dict(kind="binary")),
        global_channels=256,
        local_channels=512,
        top_fraction=0.02,
        saliency_weight=4.63e-4,
        saliency_reduction="sum",
    ),
)
