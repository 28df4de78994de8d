"""Fuse what images and clinical variables say of a patient, and see what each adds.

Run by ``tools/train_clinical.py``. Every model is fitted and tested by nested cross-validation of
patients: its preparation of the columns (medians, scales, categories) and its stopping see
only patients outside of the fold that tests. What images say must come from networks that
did not train on the patient; ``tools/cross_validate.py`` writes such scores for every patient.
"""
