# The Transformer neck of Mammography-nils. Its positions are learned on the grid of input_size_hw
# and interpolated for images of another size; a 500 px region takes
# neck=dict(input_size_hw=(500, 500), pool=dict(_delete_=True, kernel_size=2, stride=1)).
_base_ = ["resnet50w-pooled.py"]

model = dict(
    neck=dict(
        _delete_=True,
        type="TransformerNeck",
        in_channels=1024,
        input_size_hw=(1792, 1024),
        pool=dict(kernel_size=(4, 3), stride=(3, 2), padding=(0, 1)),
        depth=1,
        num_heads=8,
        head_dims=64,
        feedforward_channels=1024,
        locality=True,
        drop_rate=0.2,
        ffn_drop_rate=0.3,
    ),
)
