r"""What helps where 2 % of the images are cancer: samplers and losses against plain training.

3,000 synthetic patients of two digital machines, 120 of them with cancer, nearly all in one breast;
half train, a tenth validates, 1,200 test. All variants edit one config in one thing (the last in
two) and have the same rate at every step of about 1,100; where an epoch has another length, their
number is another. Expect the table of configs/README.md. Seven trainings of two to three minutes
of one core (OMP_NUM_THREADS=1: layers so small are not faster on two):

    python tools/prepare_dataset.py phantom --root work_dirs/screening_dicom \
        --out dataset/phantom_screening --size 192x112 --flip-to L --tasks malignant:binary \
        --splits train=0.5 val=0.1 test=0.4 --source-options patients=3000 seed=5 \
        image_size_hw=384,312 vendors=alpha,beryl prevalence=0.04 calcification_rate=0 \
        lesion_contrast=1.5
    python tools/run_domain_study.py configs/studies/phantom-screening.py

Pixels of 1 mm show no calcifications, so all lesions are masses; a third of all breasts has a
benign one, as elsewhere. The contrast is that of the study of 500 patients in demo/. Both were
fixed before any result.
"""

_config = "configs/demo/resnet18-gem_1xb32-amp-coslr-6e_phantom-screening-image-192x112px.py"
_sampler = "train_dataloader.sampler"
_loss = "model.head.tasks.malignant"
_weighted = dict(_delete_=True, type="WeightedSampler", groups="malignant")
_balanced = dict(type="GroupBatchSampler", groups="malignant", epoch="longest")

domains = dict(screening=dict(data_root="dataset/phantom_screening"))
sources = ["screening"]
targets = ["screening"]
statistics = dict(
    running=None,
    # What balancing did to the scores is undone: half of what these models saw was cancer.
    prior=dict(type="CorrectPriorHook", trained=0.5, population=0.02),
)
_as_trained = ["running"]
models = dict(
    plain=dict(config=_config, statistics=_as_trained),
    weighted=dict(
        config=_config,
        options={_sampler: _weighted},
    ),
    # An epoch has all negatives, each with a positive beside it: twice the steps.
    balanced=dict(
        config=_config,
        options={"train_dataloader.batch_sampler": _balanced, "train_cfg.max_epochs": 3},
    ),
    # As published: cancers and the other breasts of the same patients, no others, full batches.
    contralateral=dict(
        config=_config,
        statistics=_as_trained,
        options={
            _sampler: dict(_delete_=True, type="ContralateralSampler", label="malignant"),
            "train_dataloader.drop_last": True,
            "train_cfg.max_epochs": 158,
            "train_cfg.val_interval": 79,
            "default_hooks.checkpoint.interval": 158,
        },
    ),
    focal=dict(
        config=_config,
        statistics=_as_trained,
        options={_loss: dict(loss="focal", gamma=2.0)},
    ),
    pos_weight=dict(config=_config, options={_loss: dict(pos_weight=49.0)}),
    combined=dict(
        config=_config,
        statistics=_as_trained,
        options={_sampler: _weighted, _loss: dict(loss="focal", gamma=2.0)},
    ),
)
reference_model = "plain"
measures = [
    "roc_auc",
    "average_precision",
    "pf1",
    "brier",
    "calibration_slope",
    "calibration_intercept",
    "ece",
]
