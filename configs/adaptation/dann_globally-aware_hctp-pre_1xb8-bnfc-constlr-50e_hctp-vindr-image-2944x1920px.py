r"""DA_BNFC: domain-adversarial training of batch norm and linear layers alone.

Reproduces: the row HCTP+VinDr (DA_BNFC) of DoSReMC, the best of its models far from home.
Differs: the second hospital has no labels here; the published row may have used them. The start is
the source-only model, whose convolutions have seen one hospital; there public weights.

    python tools/train.py \
        configs/adaptation/dann_globally-aware_hctp-pre_1xb8-bnfc-constlr-50e_hctp-vindr-image-2944x1920px.py
"""

_base_ = ["dann_globally-aware_1xb8-constlr-50e_hctp-vindr-image-2944x1920px.py"]

pretrained = "work_dirs/globally-aware_1xb8-constlr-50e_hctp-image-2944x1920px/epoch_50.pth"
custom_hooks = [
    dict(type="AdversarialStrengthHook"),
    dict(type="LoadPretrainedHook", checkpoint=pretrained, module="", allow=("domain_head.*",)),
    dict(type="SelectTrainableHook", freeze_types=("Conv2d",)),
]
