r"""Views of an exam and clinical variables, joined before the head; beside it the same without them.

Age is standardised by the training exams, family history has a learned code, and that one of them is
missing is a state of its own.

    python tools/cross_validate.py \
        configs/demo/resnet18-views-clinical_1xb4-amp-coslr-16e_phantom-clinical-exam-192x112px.py \
        --outer 3 --inner 2
"""  # noqa: E501

_base_ = ["resnet18-views_1xb4-amp-coslr-16e_phantom-clinical-exam-192x112px.py"]

model = dict(
    clinical=dict(
        type="ClinicalEncoder",
        numbers=dict(age_years=dict(), body_mass_index=dict()),
        categories=dict(family_history=[0, 1]),
    ),
    head=dict(in_channels=128 + 2 * 2 + 4),
)
custom_hooks = [*_base_.custom_hooks, dict(type="FitClinicalEncoderHook")]
