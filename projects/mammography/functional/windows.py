"""Windows that slide over an image: where they lie and what they see."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter

SizeHW = tuple[int, int]
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class WindowGrid:
    """Square windows centred on a grid that spans an image, edges included.

    A window at an edge lies half outside, over a margin. Windows are ``stride`` apart; what is
    left over is shared between both ends.

    Attributes:
        image_hw: Size of the image.
        window: Side of a window in pixels, even.
        stride: Distance of neighbours in pixels.

    Raises:
        ValueError: If a size is below 1, the window is odd, or the stride is larger than it.

    References:
        Shen et al. 2019, Scientific Reports 9:12495 (a margin of half a patch of zeros).

    Example:
        >>> grid = WindowGrid((64, 50), window=32, stride=16)
        >>> grid.shape, grid.centres(0).tolist(), grid.centres(1).tolist()
        ((5, 4), [0, 16, 32, 48, 64], [1, 17, 33, 49])
        >>> grid.box(1, 0)
        (-15.0, 0.0, 17.0, 32.0)
    """

    image_hw: SizeHW
    window: int
    stride: int

    def __post_init__(self) -> None:  # noqa: D105
        if min(self.image_hw) < 1 or self.window < 2 or self.window % 2:
            raise ValueError(
                "WindowGrid: image_hw must be >= 1 and window even and >= 2, "
                f"got {self.image_hw} and {self.window}"
            )
        if not 1 <= self.stride <= self.window:
            raise ValueError(
                f"WindowGrid: stride must be 1 to window={self.window}, got {self.stride}"
            )

    @property
    def shape(self) -> SizeHW:
        """Rows and columns of windows."""
        height, width = self.image_hw
        return height // self.stride + 1, width // self.stride + 1

    def centres(self, axis: int) -> NDArray[np.int64]:
        """Return the centres along an axis, in pixels from the edge of the image."""
        first = self.image_hw[axis] % self.stride // 2
        return first + self.stride * np.arange(self.shape[axis])

    def box(self, row: int, column: int) -> Box:
        """Return left, top, right, bottom of a window in pixels of the image."""
        y, x = float(self.centres(0)[row]), float(self.centres(1)[column])
        half = self.window / 2
        return x - half, y - half, x + half, y + half

    def to_pixels(self) -> NDArray[np.float64]:
        """Return the matrix, ``(2, 3)``, from places of the map to pixels of the image.

        Both are continuous from the top-left corner: place ``i`` covers ``[i, i + 1)``
        and stands for its centre.
        """
        half = self.stride / 2
        first_y, first_x = (float(self.centres(axis)[0]) - half for axis in (0, 1))
        return np.array([[self.stride, 0.0, first_x], [0.0, self.stride, first_y]])


def window_means(values: ArrayLike, grid: WindowGrid) -> NDArray[np.float64]:
    """Return the mean over each window, 0 outside the image included.

    Shapes:
        values: ``(H, W)``, the image of the grid; returns that of the grid.

    Example:
        >>> window_means(np.ones((32, 32)), WindowGrid((32, 32), 32, 16)).tolist()
        [[0.25, 0.5, 0.25], [0.5, 1.0, 0.5], [0.25, 0.5, 0.25]]
    """
    padded = np.pad(np.asarray(values, float), grid.window // 2)
    sums = np.pad(padded.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    top, left = grid.centres(0), grid.centres(1)  # on the padded image
    bottom, right = top + grid.window, left + grid.window
    totals = (
        sums[np.ix_(bottom, right)]
        - sums[np.ix_(top, right)]
        - sums[np.ix_(bottom, left)]
        + sums[np.ix_(top, left)]
    )
    return np.asarray(totals / grid.window**2)


def mean_of_covering(heat: ArrayLike, grid: WindowGrid) -> NDArray[np.float64]:
    """Return for each centre the mean score of the windows that it lies in.

    Every window that holds a lesion, in its middle or at its edge, may score alike: a plateau
    whose highest place says nothing. This mean is highest where most of them overlap.

    Shapes:
        heat and the result: that of the grid.

    Example:
        >>> grid = WindowGrid((32, 128), window=32, stride=8)
        >>> plateau = np.tile([0.0] * 6 + [1.0] * 3 + [0.0] * 8, (5, 1))
        >>> int(mean_of_covering(plateau, grid)[2].argmax())
        7
    """
    values = np.asarray(heat, float)
    reach = -(-grid.window // (2 * grid.stride)) - 1
    size = 2 * reach + 1
    total = uniform_filter(values, size, mode="constant")
    share = uniform_filter(np.ones_like(values), size, mode="constant")
    return np.asarray(total / share)
