"""How the choices of the evidence are spelled."""

from mammography.reports.cases import CASES, score_in_words
from mammography.reports.evidence.study import Study
from mammography.reports.wording import counted
from mammography.structures.prediction import row_level


def cases_of(study: Study) -> str:
    """Count the cases in words."""
    noun = CASES[study.options.level]
    many = "breasts of exams" if noun.startswith("breast") else noun + "s"
    return f"{counted(study.n, noun, many)}, {study.positives:,} positive"


def score_of(study: Study) -> str:
    """Say what the score of a case is; models that see exams stand beside models of images."""
    level, pooling = study.options.level, study.options.pooling
    told = (score_in_words(level, pooling, row_level(model.info)) for model in study.models)
    return " or ".join(dict.fromkeys(told))
