"""Where a map asks to look closer, and the crops of the image at these places."""

import torch
import torch.nn.functional as F  # noqa: N812 (its usual name)
from torch import Tensor

Size = tuple[int, int]

# What a chosen pixel counts as afterwards: a trace less than the 0 of the least salient one,
# so that of equal windows one that is new is chosen.
_TAKEN = -1e-6


@torch.no_grad()
def propose_windows(evidence: Tensor, size_hw: Size, count: int) -> Tensor:
    """Choose the windows with the most evidence, one after the other.

    After each choice the pixels inside are masked out, so that the next window finds
    evidence of its own; it may still overlap by pixels that are worth nothing. Of equal
    windows the first by rows is chosen. All images go at once.

    Shapes:
        evidence ``(N, h, w)``; returns ``(N, count, 2)``: row and column of the upper left
        pixels, int64, in the order of the choice.

    Args:
        evidence: At least 0.
        size_hw: Height and width of a window, in pixels of the map.
        count: Windows per image.

    Raises:
        ValueError: If a window is larger than the map.

    References:
        Shen et al. 2021, Medical Image Analysis 68:101908 (greedy retrieval of
        regions).

    Example:
        >>> evidence = torch.zeros(1, 4, 4)
        >>> evidence[0, 1, 2], evidence[0, 3, 0] = 0.5, 1.0
        >>> propose_windows(evidence, (1, 1), 2).tolist()
        [[[3, 0], [1, 2]]]
    """
    height, width = evidence.shape[1:]
    if not (1 <= size_hw[0] <= height and 1 <= size_hw[1] <= width):
        raise ValueError(
            f"propose_windows: size_hw must fit into a map of {(height, width)}, got {size_hw}"
        )
    rows = torch.arange(height, device=evidence.device)
    columns = torch.arange(width, device=evidence.device)
    chosen = []
    for _ in range(count):
        means = F.avg_pool2d(evidence[:, None], size_hw, stride=1)[:, 0]
        best = means.flatten(1).argmax(1, keepdim=True)
        top, left = best // means.shape[2], best % means.shape[2]
        in_rows = (rows >= top) & (rows < top + size_hw[0])
        in_columns = (columns >= left) & (columns < left + size_hw[1])
        evidence = evidence.masked_fill(in_rows[:, :, None] & in_columns[:, None], _TAKEN)
        chosen.append(torch.cat((top, left), dim=1))
    return torch.stack(chosen, dim=1)


def place_crops(corners: Tensor, map_hw: Size, image_hw: Size, crop_hw: Size) -> Tensor:
    """Return the upper left corners of crops in the image, which lie inside of it.

    Shapes:
        corners ``(..., 2)`` of rows and columns in the map; returns the same in the image.

    Args:
        corners: Upper left pixels of windows of the map, int64.
        map_hw: Height and width of the map.
        image_hw: Of the image that the map is of.
        crop_hw: Of the crops.

    Raises:
        ValueError: If a crop is larger than the image.

    Example:
        >>> corners = torch.tensor([[1, 0], [45, 29]])
        >>> place_crops(corners, (46, 30), (2944, 1920), (256, 256)).tolist()
        [[64, 0], [2688, 1664]]
    """
    if crop_hw[0] > image_hw[0] or crop_hw[1] > image_hw[1]:
        raise ValueError(
            f"place_crops: crop_hw must fit into the image of {image_hw}, got {crop_hw}: "
            "give the backbone a smaller crop_size_hw"
        )
    of_map, of_image = corners.new_tensor(map_hw), corners.new_tensor(image_hw)
    scaled = (corners * of_image + of_map // 2) // of_map  # to the nearest pixel
    return scaled.clamp(min=0).minimum(of_image - corners.new_tensor(crop_hw))


def cut_crops(images: Tensor, corners: Tensor, crop_hw: Size) -> Tensor:
    """Cut crops out of images, all at once.

    Shapes:
        images ``(N, C, H, W)``, corners ``(N, K, 2)`` of int64; returns
        ``(N, K, C, h, w)``.

    Args:
        images: As the network sees them.
        corners: Row and column of the upper left pixels; the crops lie inside.
        crop_hw: Height and width of the crops.

    Example:
        >>> image = torch.arange(12.0).view(1, 1, 3, 4)
        >>> cut_crops(image, torch.tensor([[[1, 2]]]), (2, 2))
        tensor([[[[[ 6.,  7.],
                   [10., 11.]]]]])
    """
    batch = torch.arange(len(images), device=images.device)[:, None, None, None]
    rows = corners[..., 0, None] + torch.arange(crop_hw[0], device=images.device)
    columns = corners[..., 1, None] + torch.arange(crop_hw[1], device=images.device)
    crops = images.movedim(1, -1)[batch, rows[..., :, None], columns[..., None, :]]
    return crops.movedim(-1, 2)
