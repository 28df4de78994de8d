"""Train on some hospitals, test on others, with every choice of batch-norm statistics.

A study is a config file of MMEngine, run by ``tools/run_domain_study.py``; ``_base_`` and
``--cfg-options`` work on it. Only ``models``, ``domains`` and ``targets`` must be there::

    domains = dict(  # hospitals: folders as tools/prepare_dataset.py leaves them
        home=dict(data_root="dataset/home"),
        away=dict(  # files of a role, these by default; or dict(ann_file=..., filter_cfg=...)
            data_root="dataset/away",
            train="annotations/train.json",
            val="annotations/val.json",
            test="annotations/test.json",
            adapt="annotations/train.json",  # images without labels, for adaptation
        ),
    )
    models = dict(  # every model is trained on every source with every seed
        source_only=dict(config="configs/adaptation/plain.py"),
        bn_fc=dict(
            config="configs/adaptation/plain.py",
            options={"optim_wrapper.optimizer.lr": 1e-5},  # like --cfg-options
            sources=["away"],  # instead of those of the study
            # Starts from the weights of another model: of the same source, or of the named one.
            start=dict(model="source_only", source="home"),
        ),
        dann=dict(
            config="configs/adaptation/dann.py",
            adapt_to="away",  # fills the data set with domain="target"
            select="best",  # which checkpoint: last (default), best, or a pattern of names
            statistics=["running"],  # instead of those of the study
        ),
        published=dict(  # weights from elsewhere are only tested
            config="configs/adaptation/plain.py",
            checkpoint="weights/published.pth",
            trained_on="elsewhere",
        ),
    )
    sources = ["home", "home+away"]  # to train and validate on
    targets = ["home", "away"]  # to test on
    statistics = dict(  # None, or arguments of NormStatisticsHook, or of another hook by its type
        running=None,
        batch=dict(statistics="batch", options={"test_dataloader.batch_size": 8}),
        target=dict(statistics="target"),  # measured on the tested images
        target_before=dict(statistics="target", images="adapt"),  # on those of the adapt file
    )
    inputs = dict(  # for training and test alike; transforms go right before the packing
        unit=dict(transforms=[dict(type="StretchContrast", prob=1.0, breast_only=False)]),
        zscore=dict(
            transforms=[dict(type="StandardizeImage")],
            options={
                "model.data_preprocessor.mean": [0.0],
                "model.data_preprocessor.std": [1.0],
            },
        ),
    )
    options = {"train_cfg.max_epochs": 20}  # of every config; those of inputs and models win
    task, level, pooling = "malignant", "breast", "mean"  # a case: image, breast, exam, patient
    measures = ["roc_auc", "average_precision", "brier"]  # instead of the areas under curves
    reference = "running"  # what the other statistics are compared with
    reference_model = "source_only"  # what the other models are compared with, if told
    seeds, repeats = [0], 2000  # of the trainings; resamples of patients
"""
