r"""Views of an exam and clinical variables, joined before the head; beside it the same without them.

Age is standardised by the training exams, family history has a learned code, and that one of them is
missing is a state of its own.

    python tools/train.py \
        configs/demo/resnet50w-views-clinical_barlowtwins-pre_1xb4-amp-coslr-12e_phantom-study-exam-384x224px.py
"""  # noqa: E501

_base_ = ["resnet50w-views_barlowtwins-pre_1xb4-amp-coslr-12e_phantom-study-exam-384x224px.py"]

model = dict(
    clinical=dict(
        type="ClinicalEncoder",
        numbers=dict(age_years=dict(), body_mass_index=dict()),
        categories=dict(family_history=[0, 1]),
    ),
    head=dict(in_channels=512 + 2 * 2 + 4),
)
custom_hooks = [*_base_.custom_hooks, dict(type="FitClinicalEncoderHook")]
