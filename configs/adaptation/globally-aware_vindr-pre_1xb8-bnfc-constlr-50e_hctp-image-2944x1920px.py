r"""BN + FC: batch norm and linear layers of another hospital's model, trained at this one.

Reproduces: the rows (BNFC) of DoSReMC: every convolution is frozen (the saliency layer among
them, as in the original), statistics, weights and biases of batch norm and all linear layers train.
Differs: the original starts from public weights, this from the source-only config trained at VinDr:

    C=globally-aware_1xb8-constlr-50e
    python tools/train.py configs/adaptation/${C}_hctp-image-2944x1920px.py \
        --work-dir work_dirs/${C}_vindr-image-2944x1920px --cfg-options \
        {train,val,test}_dataloader.dataset.data_root=dataset/vindr

Then:

    python tools/train.py \
        configs/adaptation/globally-aware_vindr-pre_1xb8-bnfc-constlr-50e_hctp-image-2944x1920px.py
"""

_base_ = ["globally-aware_1xb8-constlr-50e_hctp-image-2944x1920px.py"]

pretrained = "work_dirs/globally-aware_1xb8-constlr-50e_vindr-image-2944x1920px/epoch_50.pth"
custom_hooks = [
    dict(type="LoadPretrainedHook", checkpoint=pretrained, module=""),
    dict(type="SelectTrainableHook", freeze_types=("Conv2d",)),
]
