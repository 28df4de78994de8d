"""The photometric part of the augmentation of Mammography-nils.

It draws 3 times among 5 policies that act with probability 0.5; one of them, the rotation, is
done by the warp here (RandomAffineWarp). Among the other 4 that is a probability of 0.4.
MMPreTrain reads level 6 of 10 in (-0.25, 0.25) as 0.05, of either sign, and a deviation of 0.5
levels as 0.025.
Differs: statistics come from the breast alone, and the background stays 0.
"""

rand_augment = dict(
    type="RandAugment",
    num_policies=3,
    magnitude_level=6,
    magnitude_std=0.5,
    policies=[
        dict(type="StretchContrast", prob=0.4),
        dict(type="AdjustBrightness", magnitude_range=(-0.25, 0.25), prob=0.4),
        dict(type="AdjustSharpness", magnitude_range=(-0.25, 0.25), prob=0.4),
        dict(type="EqualizeHistogram", prob=0.4),
    ],
)
