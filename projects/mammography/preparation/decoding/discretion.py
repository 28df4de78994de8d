"""Work on a file about which pydicom says nothing: it quotes the values that it finds odd."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_LOGGERS = ("pydicom", "PIL.TiffImagePlugin")  # The second one quotes tags when it debugs.


@contextmanager
def discretion() -> Iterator[None]:
    """Silence the warnings and logs of who may quote a name, whatever logging is set up."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    were = [logger.disabled for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.disabled = True
        try:
            yield
        finally:
            for logger, was in zip(loggers, were, strict=True):
                logger.disabled = was
