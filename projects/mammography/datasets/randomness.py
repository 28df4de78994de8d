"""Where the transforms take their random numbers from."""

import numpy as np


def generator() -> np.random.Generator:
    """Return a generator that continues NumPy's global stream.

    The transforms of MMCV and MMPreTrain draw from that stream, MMEngine seeds it in each
    loading worker and ``ReproducibleEpochLoop`` before each sample. Drawing from it keeps
    all of them reproducible by the one seed of the run.

    Example:
        >>> np.random.seed(0)
        >>> first = generator().random()
        >>> np.random.seed(0)
        >>> first == generator().random()
        True
    """
    return np.random.default_rng(np.random.randint(0, 2**32, 4, dtype=np.uint32))  # noqa: NPY002
