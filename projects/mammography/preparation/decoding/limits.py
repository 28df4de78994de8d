"""How large a picture may be, so that no file makes a decoder take all of the memory."""

from mammography.preparation.rejection import RejectedImage

LARGEST = 400_000_000  # Pixels; a large film scanned at 25 micrometres has 120 million.


def check_size(height: int, width: int) -> None:
    """Refuse a size that no mammogram has, before anything of it is allocated.

    Raises:
        RejectedImage: If a side is not positive, or there are too many pixels.
    """
    if min(height, width) < 1 or height * width > LARGEST:
        raise RejectedImage("implausible size")
