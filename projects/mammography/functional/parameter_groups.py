"""Cut a network into groups of parameters, from its input to its output."""

from collections.abc import Sequence


def cut_in_groups(names: Sequence[str], count: int) -> list[list[str]]:
    """Cut names into groups of one size, in order; the last group takes the remainder as well.

    Args:
        names: Parameters, in the order in which the network registers them.
        count: Number of groups, >= 1.

    Raises:
        ValueError: If there are fewer names than groups.

    References:
        System B's partial fine-tuning: 42 groups of a ConvNeXt-S with its head. Its slice
        ``groups[k - 42:]`` is the whole list for k = 42, where nothing should train.

    Example:
        >>> cut_in_groups(["a", "b", "c", "d", "e", "f", "g"], 3)
        [['a', 'b'], ['c', 'd'], ['e', 'f', 'g']]
    """
    if not 1 <= count <= len(names):
        raise ValueError(
            f"the number of groups must lie between 1 and that of the parameters ({len(names)}), "
            f"got {count}"
        )
    size = len(names) // count
    starts = [size * group for group in range(count)]
    ends = [*starts[1:], len(names)]
    return [list(names[start:end]) for start, end in zip(starts, ends, strict=True)]
