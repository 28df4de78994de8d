import hashlib
import hmac
import re
import stat

import pytest

from mammography.preparation.pseudonym import Pseudonyms, public_salt, read_salt

SALT = bytes(range(32))


def test_a_pseudonym_is_the_keyed_hash_of_rfc_2104():
    digest = hmac.new(SALT, b"p\x007\x00P_00820", hashlib.sha256).hexdigest()
    assert Pseudonyms(SALT).patient("P_00820") == "p" + digest[:16]


def test_pseudonyms_are_a_letter_and_16_hex_digits_and_differ_by_kind():
    names = Pseudonyms(SALT)
    given = [names.patient("7"), names.exam("7", "1"), names.image("7")]
    assert [bool(re.fullmatch(r"[pei][0-9a-f]{16}", name)) for name in given] == [True] * 3
    assert len({name[1:] for name in given}) == 3


def test_the_same_exam_number_of_two_patients_gives_two_pseudonyms():
    names = Pseudonyms(SALT)
    assert names.exam("a", "1") != names.exam("b", "1")
    assert names.exam("ab", "c") != names.exam("a", "bc")


def test_another_salt_gives_other_pseudonyms():
    assert Pseudonyms(SALT).patient("7") != Pseudonyms(bytes(32)).patient("7")
    assert public_salt("phantom") != public_salt("table")


def test_a_salt_is_made_once_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "private" / "salt"
    salt = read_salt(path)
    assert read_salt(path) == salt
    assert len(salt) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_salt(tmp_path / "other") != salt


@pytest.mark.parametrize("content", ["", "not hex at all", "00" * 31])
def test_a_salt_file_with_anything_else_is_refused(tmp_path, content):
    path = tmp_path / "salt"
    path.write_text(content)
    with pytest.raises(ValueError, match="salt must be at least 64 hex digits"):
        read_salt(path)


def test_a_short_salt_is_refused():
    with pytest.raises(ValueError, match="at least 32 bytes, got 3"):
        Pseudonyms(b"abc")
