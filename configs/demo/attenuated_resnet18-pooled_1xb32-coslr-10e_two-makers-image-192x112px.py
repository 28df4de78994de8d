r"""Noisy labels, attenuated: the model also learns how noisy the logit of each image is.

The plain config beside it, and nothing else changed: the head has a variance as well, and the
likelihood is averaged over ten samples of the logit (Kendall & Gal 2017, arXiv:1703.04977,
equation 12). A minute on one CPU core.

    C=attenuated_resnet18-pooled_1xb32-coslr-10e_two-makers-image-192x112px
    python tools/train.py configs/demo/$C.py
    python tools/test.py configs/demo/$C.py work_dirs/$C/epoch_10.pth
"""

_base_ = ["resnet18-pooled_1xb32-coslr-10e_two-makers-image-192x112px.py"]

model = dict(head=dict(tasks=dict(malignant=dict(attenuation=dict(samples=10)))))
