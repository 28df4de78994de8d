"""Train a config once per fold of patients, and predict every patient by models that never saw her.

Run by ``tools/cross_validate.py``. What a folder of a cross-validation holds::

    folds.json                         fold of each patient, see mammography.structures.folds
    annotations/outer0-inner0/         train.json, val.json, test.json of each model
    annotations/pool.json              all images
    models/outer0-inner0-<hash>.py     config of a model, for tools/train.py and tools/test.py
    models/outer0-inner0-<hash>/       its run, with val/ and test/ of the selected checkpoint
    predictions.json                   out-of-fold: mean of the models of the fold that tests
    features.npz                       out-of-fold, one row per image and model, if asked for
    inner/outer0.json, .npz            patients outside of outer fold 0, by the model of fold 0
                                       that validated on them: none of these saw fold 0
    metrics.json, results.md           per fold, per level, with intervals

With ``ExamDataset`` a row is an exam, not an image, and ``level`` in the dumps says so: its score
is that of all views together, there is none of a breast, and exams are pooled to patients.
"""
