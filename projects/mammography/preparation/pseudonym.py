"""Salted pseudonyms in place of the identifiers of a source."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from mammography.preparation.whole_files import PRIVATE, write_first

_SALT_BYTES = 32


@dataclass(frozen=True)
class Pseudonyms:
    """Replace identifiers by keyed hashes that only the owner of the salt can repeat.

    A pseudonym is a letter for its kind and the first 16 hex digits of HMAC-SHA256.
    The same salt gives the same pseudonyms, so that sources prepared with one salt can
    be linked; without the salt they tell nothing, not even to somebody who can guess
    the identifiers.

    Args:
        salt: Secret key, at least 32 bytes.

    References:
        RFC 2104 (HMAC); ISO 25237 (pseudonymisation in health informatics).

    Example:
        >>> names = Pseudonyms(bytes(32))
        >>> names.patient("P_00820")
        'ped024341ee935e2f'
        >>> names.patient("P_00820") == names.patient("P_00821")
        False
    """

    salt: bytes

    def __post_init__(self) -> None:
        """Refuse a salt that is too short to be a secret."""
        if len(self.salt) < _SALT_BYTES:
            raise ValueError(f"salt must hold at least 32 bytes, got {len(self.salt)}")

    def patient(self, patient_id: str) -> str:
        """Pseudonym of a patient."""
        return self._of("p", patient_id)

    def exam(self, patient_id: str, exam_id: str) -> str:
        """Pseudonym of an exam; numbers such as ``1`` may repeat from patient to patient."""
        return self._of("e", patient_id, exam_id)

    def image(self, img_path: str) -> str:
        """Pseudonym of an image, from its path relative to the root of the source."""
        return self._of("i", img_path)

    def _of(self, kind: str, *parts: str) -> str:
        # Lengths in front, so that ("ab", "c") and ("a", "bc") differ.
        message = kind + "".join(f"\0{len(part)}\0{part}" for part in parts)
        return kind + hmac.new(self.salt, message.encode(), hashlib.sha256).hexdigest()[:16]


def read_salt(path: Path) -> bytes:
    """Return the salt that a file holds; make the file when there is none.

    The file holds 64 hex digits and only its owner may read it. Keep it apart from the
    data that are handed over, and do not lose it: it alone repeats the pseudonyms. Of
    several processes that find none, all take the salt of the first.

    Raises:
        ValueError: If the file holds something else.
    """
    if not path.exists():
        write_first(path, f"{secrets.token_hex(_SALT_BYTES)}\n".encode(), PRIVATE)
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    try:
        salt = bytes.fromhex(text)
    except ValueError:
        salt = b""
    if len(salt) < _SALT_BYTES:
        raise ValueError(
            f"{path}: salt must be at least {2 * _SALT_BYTES} hex digits: "
            "delete the file to have a new one made"
        )
    return salt


def public_salt(source: str) -> bytes:
    """Return the fixed salt of a public source, whose identifiers are no secret.

    It gives everybody the same pseudonyms, and with them the same files.
    """
    return hashlib.sha256(f"mammography public source {source}".encode()).digest()
