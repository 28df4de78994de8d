"""Whole breasts at 1536 x 1536, as MammographyAI (system B) reads and augments them.

Its mirroring, rotation of 20 degrees, brightness, contrast and gamma, for both classes with the
same probability: it augmented positives alone, and a network can learn that instead of the cancer.
Differs: no turn by 90 degrees, which no test image has; 16 bits, not equalised.
"""

train_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="RandomAffineWarp", size_hw=(1536, 1536), flip_prob=0.5, rotation_deg=20),
    dict(type="AdjustBrightness", magnitude=0.2, prob=0.15),
    dict(type="AdjustGamma", magnitude=0.2, prob=0.15),
    dict(type="PackMammogram"),
]
test_pipeline = [
    dict(type="LoadMammogram"),
    dict(type="AffineResize", size_hw=(1536, 1536)),
    dict(type="PackMammogram"),
]
