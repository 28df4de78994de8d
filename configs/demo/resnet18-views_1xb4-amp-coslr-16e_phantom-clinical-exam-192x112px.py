r"""All views of an exam at once, of the clinical study: does the woman have cancer in either breast?

Each view goes through the network of the image model beside it, a Transformer over the views reads them
together. Each step sees 4 exams, some 16 images, and all steps as many images as those of that model.
At its rate of 1e-3 the Transformer fell back to one answer for all, on the validation of one fold.
"Whole exams" in configs/README.md has the commands and the figures.

    python tools/cross_validate.py \
        configs/demo/resnet18-views_1xb4-amp-coslr-16e_phantom-clinical-exam-192x112px.py \
        --outer 3 --inner 2
"""  # noqa: E501

_base_ = ["resnet18-gem_1xb8-amp-coslr-16e_phantom-clinical-image-192x112px.py"]

model = dict(
    type="MultiInputClassifier",
    data_preprocessor=dict(type="MultiViewDataPreprocessor"),
    view_fusion=dict(type="ViewFusionNeck", in_channels=128, depth=1, num_heads=4),
)
optim_wrapper = dict(optimizer=dict(lr=3e-4))
exams = dict(batch_size=4, collate_fn=dict(type="pseudo_collate"), dataset=dict(type="ExamDataset"))
train_dataloader = exams
val_dataloader = exams
test_dataloader = exams
