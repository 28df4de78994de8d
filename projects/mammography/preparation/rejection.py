"""The one error that says why an image cannot be used."""


class RejectedImage(ValueError):  # noqa: N818 - the word that the list of rejections uses
    """An image cannot be prepared; the text is the reason.

    A reason is short and the same for the same fault, so that reasons can be counted. It
    names neither the file nor anything that the file says about a patient.

    Example:
        >>> str(RejectedImage("colour image"))
        'colour image'
    """


class TemporaryRejection(RejectedImage):
    """The machine is to blame, not the file: the next run tries the image again.

    Rights, networks, disks and memory may be others then, and no file tells.
    """
