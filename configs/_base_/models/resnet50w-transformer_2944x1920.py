# The Transformer model on images of 2944 x 1920, for the two outcomes of DoSReMC.
_base_ = ["resnet50w-transformer.py"]

model = dict(
    neck=dict(input_size_hw=(2944, 1920)),
    head=dict(tasks=dict(_delete_=True, benign=dict(kind="binary"), malignant=dict(kind="binary"))),
)
