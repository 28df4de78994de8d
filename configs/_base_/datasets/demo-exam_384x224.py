# Whole exams of a study prepared for the demo: each sample holds all of its views.
_base_ = ["demo-image_384x224.py"]

exam = dict(collate_fn=dict(type="pseudo_collate"), batch_size=4, dataset=dict(type="ExamDataset"))
train_dataloader = exam
val_dataloader = exam
test_dataloader = exam
