"""How well predicted values follow observed ones."""

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from mammography.reports.figures import canvas

# More points are drawn as one small bitmap inside the SVG.
MAX_VECTOR_POINTS = 2000


def draw_predicted_over_observed(observed: ArrayLike, predicted: ArrayLike, unit: str) -> Figure:
    """Draw each image as a point, with the line of identity.

    Shapes:
        observed, predicted: (N,)

    Args:
        observed: Labels.
        predicted: What the model said, on the same scale.
        unit: What both axes measure.
    """
    observed, predicted = np.asarray(observed), np.asarray(predicted)
    figure, (axes,) = canvas.new_figure()
    figure.set_dpi(200)
    axes.scatter(
        observed,
        predicted,
        s=12,
        color=canvas.BLUE,
        alpha=0.55 if len(observed) < 500 else 0.25,
        linewidths=0,
        rasterized=len(observed) > MAX_VECTOR_POINTS,
        label=f"n = {len(observed):,}",
    )
    ends = [min(observed.min(), predicted.min()), max(observed.max(), predicted.max())]
    axes.plot(ends, ends, color=canvas.GREY, linewidth=1, linestyle="--", label="identity")
    axes.set_aspect("equal", adjustable="datalim")
    canvas.name_axes(axes, f"observed {unit}", f"predicted {unit}")
    canvas.add_legend(axes, "upper left")
    return figure
