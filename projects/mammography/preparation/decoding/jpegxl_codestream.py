"""What a JPEG XL stream says about itself."""

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))  # Width to height.


def jpegxl_size(stream: bytes) -> tuple[int, int]:
    """Return the rows and columns that a JPEG XL stream states, bare or in a container.

    Raises:
        ValueError: If the stream is not JPEG XL.

    References:
        ISO/IEC 18181-1, SizeHeader; 18181-2: boxes jxlc, or jxlp with a number of 4 bytes.
    """
    start = 0
    if stream.startswith(_CONTAINER):
        whole, part = stream.find(b"jxlc"), stream.find(b"jxlp")
        start = whole + 4 if whole >= 0 else part + 8
    if stream[start : start + 2] != b"\xff\x0a":
        raise ValueError("no JPEG XL stream")
    bits = int.from_bytes(stream[start + 2 : start + 18], "little")

    def take(count: int) -> int:
        nonlocal bits
        value, bits = bits & ((1 << count) - 1), bits >> count
        return value

    def take_side(in_eights: int) -> int:
        return (take(5) + 1) * 8 if in_eights else take((9, 13, 18, 30)[take(2)]) + 1

    in_eights = take(1)
    height = take_side(in_eights)
    ratio = take(3)
    if ratio == 0:
        return height, take_side(in_eights)
    numerator, denominator = _RATIOS[ratio - 1]
    return height, height * numerator // denominator
