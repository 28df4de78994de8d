"""A patch network over a whole image: class probabilities of every window.

Two definitions of what a window sees, which differ for a network whose convolutions pad:

- *with surroundings*: features are computed on the whole image, the window is what is pooled.
  At a border of the window the convolutions see the tissue beyond it. One pass, or a few
  for a fine stride, gives all windows: :func:`heat_maps`.
- *alone*: the window is cut out, and the convolutions see their own padding beyond it, as in
  the training of the patch network. Every window is a pass of its own:
  :func:`slide_window`.

For a network without padding both are the same, number by number. For one with padding
:func:`heat_maps` equals the sliding window whose windows keep their surroundings, and comes
near the other one: how near, for a trained network, stands in ``configs/README.md``.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from numpy.typing import NDArray
from torch import Tensor

from mammography.functional.windows import WindowGrid

Network = Callable[[Tensor], Tensor]


def heat_maps(
    trunk: Network,
    classify: Network,
    image: Tensor,
    grid: WindowGrid,
    *,
    cell: int = 32,
    surroundings: int = 32,
) -> Tensor:
    """Return the classes of all windows of an image, by passes over the whole of it.

    The trunk runs on the image in a margin of black; where the windows are closer than a
    cell of its map, once for each way they can lie on the cells. The average over the
    cells that a single window has is what the network pools a patch to. It equals the
    windows taken one by one with what surrounds them, up to rounding.

    Shapes:
        image ``(C, H, W)``; returns ``(K, rows, columns)``, those of the grid.

    Args:
        trunk: ``(N, C, h, w)`` to features ``(N, D, h / cell, w / cell)``, padded or not.
        classify: Averaged features ``(M, D)`` to ``(M, K)``: logits or probabilities.
        image: Pixels before normalisation, 0 for black; the trunk normalises.
        grid: Where the windows lie.
        cell: Pixels per place of the trunk's map: 32 for a ResNet.
        surroundings: Pixels of black beyond the windows at the edges, a cell at least; there the
            network's own padding begins.

    Raises:
        ValueError: If the window is not whole cells, the stride neither divides a cell nor is
            whole cells, or the surroundings are less than a cell.
    """
    _check(grid, cell, surroundings)
    pooled_hw = trunk(image.new_zeros((1, image.shape[0], grid.window, grid.window))).shape[2:]
    canvas, origins = _on_canvas(image, grid, extra=surroundings)
    out = image.new_empty(0)
    for rows, top in _phases(origins[0], cell):
        for columns, left in _phases(origins[1], cell):
            features = trunk(canvas[None, :, top:, left:])
            pooled = F.avg_pool2d(features, tuple(pooled_hw), stride=1)[0]
            down = torch.from_numpy((origins[0][rows] - top) // cell)
            across = torch.from_numpy((origins[1][columns] - left) // cell)
            chosen = pooled[:, down][:, :, across]
            scores = classify(chosen.flatten(1).T).T
            if not len(out):
                out = scores.new_empty((scores.shape[0], *grid.shape))
            place = np.ix_(rows, columns)
            out[:, torch.from_numpy(place[0]), torch.from_numpy(place[1])] = scores.view(
                -1, len(rows), len(columns)
            )
    return out


def slide_window(network: Network, image: Tensor, grid: WindowGrid, batch_size: int = 64) -> Tensor:
    """Return the classes of all windows of an image, each cut out and seen alone.

    Shapes:
        image ``(C, H, W)``; returns ``(K, rows, columns)``, those of the grid.

    Args:
        network: ``(N, C, window, window)`` to ``(N, K)``.
        image: Pixels before normalisation, 0 for black; the network normalises.
        grid: Where the windows lie.
        batch_size: Windows per pass.
    """
    canvas, (tops, lefts) = _on_canvas(image, grid, extra=0)
    side = grid.window
    places = [(int(top), int(left)) for top in tops for left in lefts]
    scores = []
    for first in range(0, len(places), batch_size):
        batch = places[first : first + batch_size]
        windows = [canvas[:, top : top + side, left : left + side] for top, left in batch]
        scores.append(network(torch.stack(windows)))
    return torch.cat(scores).T.reshape(-1, *grid.shape)


def _check(grid: WindowGrid, cell: int, surroundings: int) -> None:
    if surroundings < cell:  # passes that begin inside a cell cut some off
        raise ValueError(f"heat_maps: surroundings must be a cell of {cell}, got {surroundings}")
    if grid.window % cell:
        raise ValueError(
            f"heat_maps: window must be whole cells of {cell} pixels, got {grid.window}"
        )
    if grid.stride % cell and cell % grid.stride:
        raise ValueError(
            f"heat_maps: stride must divide a cell of {cell} pixels or be whole cells, "
            f"got {grid.stride}"
        )


def _on_canvas(
    image: Tensor, grid: WindowGrid, extra: int
) -> tuple[Tensor, tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return the image in black, and the first row and column of each window on it."""
    margin = grid.window // 2 + extra
    canvas = F.pad(image, (margin, margin, margin, margin))
    first, second = (grid.centres(axis) + extra for axis in (0, 1))
    return canvas, (first, second)


def _phases(origins: NDArray[np.int64], cell: int) -> Iterator[tuple[NDArray[np.int64], int]]:
    """Yield the windows that lie alike on the cells, and the pixels before the first cell."""
    for phase in np.unique(origins % cell):
        yield np.flatnonzero(origins % cell == phase), int(phase)
