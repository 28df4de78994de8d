"""What was computed, in words."""

from importlib.metadata import version

from mammography.reports.blocks import Listing, Section
from mammography.reports.run_folder import Run

_PACKAGES = ("mammography", "scikit-learn", "numpy", "matplotlib")
_SENTENCES = (
    "Training curves: the numbers that mmengine logged, which are means over the last iterations "
    "of its smoothing window. Of a resumed run the later start replaces the iterations it "
    "repeated. Curves longer than 2,000 points are drawn by their first, lowest, highest and last "
    "point of each run of points.",
    "Unit of analysis: the image. Images of one patient are not independent; nothing here "
    "accounts for it.",
    "ROC-AUC: area under the empirical ROC curve, ties counted one half. Average precision: "
    "sum of precision times step in recall, without interpolation. Both by scikit-learn.",
    "Confusion matrix: predicted is the class of the highest probability. An operating point of a "
    "binary task is one that was chosen on the validation; no threshold is chosen on the test.",
    "Images without a label of a task are left out of that task.",
)


def methods_section(_: Run) -> Section:
    """Say what the figures and tables are."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return Section(
        "methods", "Methods", (Listing((*_SENTENCES, f"Page computed with {versions}.")),)
    )
