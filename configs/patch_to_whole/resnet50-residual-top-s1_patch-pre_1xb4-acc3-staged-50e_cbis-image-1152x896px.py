r"""Malignant or not, whole images: the config beside it with stride 1, as in the port.

Reproduces: the port to PyTorch (its README: test accuracy 0.857, AUC 0.856, of arg-max labels).
Differs: as the config with stride 2.
Costs: 39.8 M weights; the top works on 36 x 28 places instead of 18 x 14 and 9 x 7.

    python tools/train.py \
        configs/patch_to_whole/resnet50-residual-top-s1_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py
"""

_base_ = ["resnet50-residual-top_patch-pre_1xb4-acc3-staged-50e_cbis-image-1152x896px.py"]

model = dict(neck=dict(stride=1))
