"""Words of a command line as values; a wrong one raises ``ValueError`` with the rule."""

from collections.abc import Iterable


def parse_size(text: str) -> tuple[int, int]:
    """Read ``HEIGHTxWIDTH``, rows first.

    Raises:
        ValueError: If it is not two positive numbers.

    Example:
        >>> parse_size("1792x1024")
        (1792, 1024)
    """
    height, cross, width = text.lower().partition("x")
    if not (cross and height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise ValueError(f"--size must be HEIGHTxWIDTH, such as 1792x1024, got {text!r}")
    return int(height), int(width)


def parse_settings(texts: Iterable[str]) -> dict[str, str]:
    """Read ``NAME=VALUE`` words.

    Raises:
        ValueError: If a word has no name or no ``=``, or two have the same name.

    Example:
        >>> parse_settings(["table=t.csv", "clinical=age,implant"])
        {'table': 't.csv', 'clinical': 'age,implant'}
    """
    settings: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals) or name in settings:
            rule = "come once" if name in settings else "be NAME=VALUE"
            raise ValueError(f"--source-options must {rule}, got {text!r}")
        settings[name] = value
    return settings
