r"""Source only with the narrow-late ResNet with the Transformer neck.

Not published: the method is not tied to one network; the rate is a usual one for this.
Costs: batches of 8 keep about 66 GB of activations in float32 by arithmetic, half of it with --amp.

    python tools/train.py \
        configs/adaptation/resnet50w-transformer_1xb8-constlr-50e_hctp-image-2944x1920px.py
"""

_base_ = [
    "../_base_/models/resnet50w-transformer_2944x1920.py",
    "../_base_/datasets/hctp-image_2944x1920.py",
    "../_base_/schedules/adam-constlr-50e.py",
]

optim_wrapper = dict(optimizer=dict(lr=1e-4))
