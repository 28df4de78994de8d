r"""Noisy labels on fixed features, attenuated: the linear head also learns a variance.

The plain config beside it, and nothing else changed. Half a minute on one CPU core.

    C=attenuated_resnet18-pooled_alpha-pre_1xb32-frozen-coslr-10e_two-makers-image-192x112px
    python tools/train.py configs/demo/$C.py
    python tools/test.py configs/demo/$C.py work_dirs/$C/epoch_10.pth
"""

_base_ = ["resnet18-pooled_alpha-pre_1xb32-frozen-coslr-10e_two-makers-image-192x112px.py"]

model = dict(head=dict(tasks=dict(malignant=dict(attenuation=dict(samples=10)))))
