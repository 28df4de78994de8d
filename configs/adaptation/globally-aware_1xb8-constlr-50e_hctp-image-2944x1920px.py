r"""Source only: the globally-aware classifier, trained at one hospital.

Reproduces: the rows HCTP of DoSReMC (arXiv 2508.15452), tr and tt by the statistics of the test.
Differs: [0, 1] per image in training and test alike (the original mixes it with z-scores), one
channel in the local network, the ratio of height to width is kept, no public start weights.
Costs: 14.1 M weights; batches of 8 need about 6 GB in float32 by arithmetic. Another hospital:
--cfg-options train_dataloader.dataset.data_root=DIR, the same for val and test, and --work-dir.

    python tools/train.py \
        configs/adaptation/globally-aware_1xb8-constlr-50e_hctp-image-2944x1920px.py
"""

_base_ = [
    "../_base_/models/globally-aware.py",
    "../_base_/datasets/hctp-image_2944x1920.py",
    "../_base_/schedules/adam-constlr-50e.py",
]
