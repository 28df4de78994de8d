"""Where the places of a map lie in the image that a network made it of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

from mammography.functional.affine import Matrix, SizeHW

# Nodes of autograd that look through a window; the names begin so on every device.
_POOLS = ("MaxPool2DWithIndicesBackward", "AvgPool2DBackward", "Im2ColBackward")
_PADS = ("ConstantPadNdBackward", "ReflectionPad2DBackward", "ReplicationPad2DBackward")


@dataclass(frozen=True)
class ReceptiveField:
    """What the places of a map see along one axis: place ``i`` sees a stretch of pixels.

    Attributes:
        jump: Pixels from one place to the next.
        first: First pixel that place 0 sees; negative where it sees padding.
        last: Last one.

    Example:
        >>> ReceptiveField(jump=2, first=-1, last=1).centre
        0.0
    """

    jump: int
    first: int
    last: int

    @property
    def centre(self) -> float:
        """The middle of what place 0 sees, as an index of pixels: 0 is the first pixel's middle."""
        return (self.first + self.last) / 2


def receptive_fields(
    output: Tensor, source: Tensor
) -> tuple[ReceptiveField, ReceptiveField] | None:
    """Return what the places of a map see of an image, down and across, or None if unknown.

    The graph that autograd recorded is walked from the map back to the image: its nodes hold
    kernel, stride, padding and dilation of every convolution, pooling, unfolding and padding that
    was really executed, in modules or not, on all branches. A place sees the hull of what
    the branches see. Any other operation is taken to leave every place where it is: norms,
    activations, shortcuts, gates by the mean over the image, attention (a token is its own
    place), changes of layout.

    What follows for the size of the map must be its size: else an operation moved the places
    in a way that is not understood here (interpolation, strided slices, transposed
    convolutions), and nothing is returned; likewise where branches disagree about the jump, or
    autograd did not record the way.

    Shapes:
        output ``(N, C, h, w)``, source ``(N, D, H, W)``.

    Args:
        output: The map; its graph must still be there.
        source: The image it was made of, which requires gradients.

    References:
        Araujo, Norris & Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks",
        Distill, doi:10.23915/distill.00021 (equations 2 to 5, and several paths).

    Example:
        >>> import torch
        >>> image = torch.rand(1, 1, 64, 32, requires_grad=True)
        >>> padded, patches = torch.nn.Conv2d(1, 1, 3, 2, 1), torch.nn.Conv2d(1, 1, 4, 4)
        >>> receptive_fields(padded(image), image)[0]
        ReceptiveField(jump=2, first=-1, last=1)
        >>> receptive_fields(patches(image), image)[1]
        ReceptiveField(jump=4, first=0, last=3)
    """
    if not (output.requires_grad and source.requires_grad):
        return None
    found = _walk(get_gradient_edge(output).node, get_gradient_edge(source).node)
    if found is None:
        return None
    for axis, places, pixels in zip(found, output.shape[2:], source.shape[2:], strict=True):
        if (pixels - 1 - axis.need) // axis.jump + 1 != places:
            return None
    down, across = (ReceptiveField(axis.jump, axis.first, axis.last) for axis in found)
    return down, across


def place_fields(fields: tuple[ReceptiveField, ReceptiveField]) -> Matrix:
    """Return the matrix, ``(2, 3)``, from places of a map to pixels by what the places see.

    Both are continuous from the top-left corner: place ``i`` covers ``[i, i + 1)``, and its
    middle comes to lie on the centre of its receptive field.

    Args:
        fields: Down and across.

    Example:
        >>> padded, patch = ReceptiveField(32, -213, 213), ReceptiveField(32, 0, 31)
        >>> place_fields((padded, patch)).tolist()
        [[32.0, 0.0, 0.0], [0.0, 32.0, -15.5]]
    """
    down, across = fields
    first_x, first_y = (field.centre + 0.5 - field.jump / 2 for field in (across, down))
    return np.array([[across.jump, 0.0, first_x], [0.0, down.jump, first_y]])


def place_evenly(map_hw: SizeHW, image_hw: SizeHW) -> Matrix:
    """Return the matrix, ``(2, 3)``, from places of a map to pixels as equal shares of the image.

    Args:
        map_hw: Rows and columns of the map.
        image_hw: Size of the image.

    Example:
        >>> place_evenly((2, 4), (64, 96)).tolist()
        [[24.0, 0.0, 0.0], [0.0, 32.0, 0.0]]
    """
    (rows, columns), (height, width) = map_hw, image_hw
    return np.array([[width / columns, 0.0, 0.0], [0.0, height / rows, 0.0]])


class _Window(NamedTuple):
    """One operation along one axis; ``right`` includes what rounding up adds."""

    kernel: int = 1
    stride: int = 1
    left: int = 0
    right: int = 0
    dilation: int = 1


class _Axis(NamedTuple):
    """A receptive field on the way back to the image, in pixels of where the way has come.

    ``need`` is how far beyond its first pixel place 0 needs the map to reach, padding on the right
    taken off: with integers, floors of floors are one floor, so that ``n`` pixels give
    ``(n - 1 - need) // jump + 1`` places.
    """

    jump: int = 1
    first: int = 0
    last: int = 0
    need: int = 0

    def before(self, window: _Window) -> "_Axis":
        """Return the same in pixels of the operation's input."""
        reach = window.dilation * (window.kernel - 1) - window.left
        return _Axis(
            window.stride * self.jump,
            window.stride * self.first - window.left,
            window.stride * self.last + reach,
            window.stride * self.need + reach - window.right,
        )

    def join(self, other: "_Axis") -> "_Axis":
        """Return the hull of two branches of one jump."""
        return _Axis(
            self.jump,
            min(self.first, other.first),
            max(self.last, other.last),
            min(self.need, other.need),
        )


_Axes = tuple[_Axis, _Axis]


def _walk(root: Node, target: Node) -> _Axes | None:
    """Go back from a node; each one is passed when all its consumers were."""
    reached: dict[Node, _Axes | None] = {root: (_Axis(), _Axis())}
    for node in _consumers_first(root):
        here = reached[node]
        if node is target:
            return here
        there = None if here is None else _before(node, here)
        for parent in _parents(node):
            reached[parent] = _join(reached[parent], there) if parent in reached else there
    return None


def _consumers_first(root: Node) -> Iterator[Node]:
    waiting, found = {root: 0}, [root]
    for node in found:  # Grows meanwhile.
        for parent in _parents(node):
            if parent not in waiting:
                found.append(parent)
            waiting[parent] = waiting.get(parent, 0) + 1
    ready = [root]
    while ready:
        node = ready.pop()
        yield node
        for parent in _parents(node):
            waiting[parent] -= 1
            if not waiting[parent]:
                ready.append(parent)


def _parents(node: Node) -> list[Node]:
    return [parent for parent, _ in node.next_functions if parent is not None]


def _join(one: _Axes | None, other: _Axes | None) -> _Axes | None:
    if one is None or other is None:
        return None
    if any(a.jump != b.jump for a, b in zip(one, other, strict=True)):
        return None
    return one[0].join(other[0]), one[1].join(other[1])


def _before(node: Any, axes: _Axes) -> _Axes:
    """Pass one operation; one without windows leaves the places where they are."""
    name = node.name()
    if name.startswith("ConvolutionBackward"):
        kernel = tuple(node._saved_weight.shape[2:])
        windows = _windows(node, kernel) if len(kernel) == 2 else None
    elif name.startswith(_POOLS):
        windows = _windows(node, node._saved_kernel_size)
    elif name.startswith(_PADS):
        given = node._saved_pad if hasattr(node, "_saved_pad") else node._saved_padding
        left, right, top, bottom = (*given, 0, 0)[:4]
        windows = [_Window(left=top, right=bottom), _Window(left=left, right=right)]
    else:
        windows = None
    if windows is None:
        return axes
    return axes[0].before(windows[0]), axes[1].before(windows[1])


def _windows(node: Any, kernel: tuple[int, int]) -> list[_Window]:
    stride = node._saved_stride or kernel  # A pooling whose stride is not given.
    dilation = getattr(node, "_saved_dilation", (1, 1))
    up = getattr(node, "_saved_ceil_mode", False)
    return [
        _Window(k, s, left=p, right=p + (s - 1 if up else 0), dilation=d)
        for k, s, p, d in zip(kernel, stride, node._saved_padding, dilation, strict=True)
    ]
