"""How the choices of the evidence are spelled."""

from mammography.reports.cases import CASES
from mammography.reports.evidence.study import Study
from mammography.reports.wording import counted


def cases_of(study: Study) -> str:
    """Count the cases in words."""
    noun = CASES[study.options.level]
    many = "breasts of exams" if noun.startswith("breast") else noun + "s"
    return f"{counted(study.n, noun, many)}, {study.positives:,} positive"
