"""How scores move when cases of class 1 are more frequent, or count more, in training."""

import math


def prior_shift(trained: float, population: float) -> float:
    r"""Return what to add to the log odds of scores to undo another share of positives.

    By Bayes' rule the odds of class 1 are a likelihood ratio times the prior odds. A model that
    was trained where positives are a share :math:`t` of the cases, drawn at random within
    their class, is right about a population where they are a share :math:`p` after its log
    odds move by :math:`\operatorname{logit} p - \operatorname{logit} t`. A factor
    ``pos_weight`` on the loss of positives acts like as many copies:
    :math:`t = wp / (wp + 1 - p)`, a shift of :math:`-\log w`.

    The order of the scores stays. A loss that is not the likelihood (focal), or a selection of
    other negatives (contralateral), is not undone by any shift.

    Args:
        trained: Share of positives in training, between 0 and 1.
        population: Share of positives where the scores are used, between 0 and 1.

    Raises:
        ValueError: If a share is not between 0 and 1.

    References:
        Elkan, IJCAI 2001, theorem 2; King and Zeng, Political Analysis 2001;9:137, section 4.1.

    Example:
        >>> round(prior_shift(trained=0.5, population=0.02), 3)  # -log(49)
        -3.892
    """
    for name, share in (("trained", trained), ("population", population)):
        if not 0 < share < 1:
            raise ValueError(f"prior_shift: {name} must lie between 0 and 1, got {share}")
    return math.log(population / (1 - population)) - math.log(trained / (1 - trained))
