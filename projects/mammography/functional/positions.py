"""Grids of tokens: how many there are for an image of any size."""

Size = tuple[int, int]


def pooled_grid(size_hw: Size, kernel_hw: Size, stride_hw: Size, padding_hw: Size) -> Size:
    """Return rows and columns that pooling leaves of a feature map.

    Raises:
        ValueError: If the map is too small to hold one kernel.

    Example:
        >>> pooled_grid((56, 32), (4, 3), (3, 2), (0, 1))
        (18, 16)
    """
    rows, columns = (
        (size + 2 * padding - kernel) // stride + 1
        for size, kernel, stride, padding in zip(
            size_hw, kernel_hw, stride_hw, padding_hw, strict=True
        )
    )
    if min(rows, columns) < 1:
        raise ValueError(
            f"pooled_grid: a feature map must hold one kernel of {kernel_hw}, got {size_hw}: "
            "use larger images or a smaller pooling kernel"
        )
    return rows, columns


def feature_size(input_size_hw: Size, stride: int) -> Size:
    """Return the size of the map that a padded backbone of this stride makes of an image.

    Example:
        >>> feature_size((1792, 1024), 32), feature_size((500, 500), 32)
        ((56, 32), (16, 16))
    """
    height, width = input_size_hw
    return -(-height // stride), -(-width // stride)
