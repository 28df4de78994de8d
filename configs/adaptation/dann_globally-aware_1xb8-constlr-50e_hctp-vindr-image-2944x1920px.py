r"""Domain-adversarial: labels of one hospital, images of another, features that tell neither.

Reproduces: the adversarial training of DoSReMC: half of each batch from either hospital, class loss
on the source alone, gradient reversal with lambda from 0 to 1, head of 768-256-128-2.
Differs: a smaller target is drawn through before any of it comes again, not with replacement; the
penalty of the saliency is the sum over the maps themselves, as without adversary, not over scaled
ones; and what the source-only config names.

    python tools/train.py \
        configs/adaptation/dann_globally-aware_1xb8-constlr-50e_hctp-vindr-image-2944x1920px.py
"""

_base_ = [
    "../_base_/models/globally-aware.py",
    "../_base_/datasets/hctp-vindr-image_2944x1920.py",
    "../_base_/schedules/adam-constlr-50e.py",
]

model = dict(
    type="DomainAdversarialClassifier", domain_head=dict(type="DomainHead", in_channels=768)
)
custom_hooks = [dict(type="AdversarialStrengthHook")]
