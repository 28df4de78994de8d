"""The versions that decide about pixels."""

import platform
from importlib.metadata import version

from mammography import __version__

_DECIDING = ("imagecodecs", "isal", "numpy", "opencv-python", "pydicom")


def find_versions() -> dict[str, str]:
    """Return the versions of the package, of Python and of what decodes and resizes.

    Example:
        >>> sorted(find_versions())
        ['imagecodecs', 'isal', 'mammography', 'numpy', 'opencv-python', 'pydicom', 'python']
    """
    own = {"mammography": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in _DECIDING}
