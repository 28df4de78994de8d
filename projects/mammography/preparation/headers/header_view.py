"""Side and view of a mammogram, and what changes the view, from a DICOM header."""

import re
from dataclasses import dataclass
from typing import Any

from mammography.preparation.headers.header_values import HeaderValues
from mammography.terms import Laterality, ViewModifier, ViewPosition

# DICOM CID 4014, as SNOMED CT and SNOMED RT codes.
_VIEW_CODES = {
    "399162004": ViewPosition.CC, "R-10242": ViewPosition.CC,
    "399368009": ViewPosition.MLO, "R-10226": ViewPosition.MLO,
    "399260004": ViewPosition.ML, "R-10224": ViewPosition.ML,
    "399352003": ViewPosition.LM, "R-10228": ViewPosition.LM,
    "399099002": ViewPosition.LMO, "R-10230": ViewPosition.LMO,
    "399192008": ViewPosition.XCCL, "R-1024A": ViewPosition.XCCL,
    "399101009": ViewPosition.XCCM, "R-1024B": ViewPosition.XCCM,
    "399196006": ViewPosition.FB, "R-10244": ViewPosition.FB,
    "399188001": ViewPosition.SIO, "R-102D0": ViewPosition.SIO,
    "441555000": ViewPosition.ISO, "R-40AAA": ViewPosition.ISO,
}  # fmt: skip
# DICOM CID 4015: the part that has a term here, ...
_MODIFIER_CODES = {
    "399163009": ViewModifier.MAGNIFICATION, "R-102D6": ViewModifier.MAGNIFICATION,
    "399055006": ViewModifier.SPOT_COMPRESSION, "R-102D7": ViewModifier.SPOT_COMPRESSION,
    "399209000": ViewModifier.IMPLANT_DISPLACED, "R-102D5": ViewModifier.IMPLANT_DISPLACED,
}  # fmt: skip
# ... the part that is still the view that it modifies, ...
_DOUBTED_CODES = {
    "441752004": "anterior compression", "P2-00161": "anterior compression",
    "442593008": "infra-mammary fold", "R-40ABE": "infra-mammary fold",
    "442581004": "nipple in profile", "R-40AB3": "nipple in profile",
    "414493004": "rolled inferior", "R-102CA": "rolled inferior",
    "399197002": "rolled lateral", "R-102D3": "rolled lateral",
    "399226006": "rolled medial", "R-102D4": "rolled medial",
    "415670009": "rolled superior", "R-102C9": "rolled superior",
}  # fmt: skip
# ... and the part that makes it another view, none of ours.
_OTHER_VIEW_CODES = {
    "399011000": "axillary tail", "R-102D1": "axillary tail",
    "442580003": "axillary tissue", "R-40AB2": "axillary tissue",
    "399161006": "cleavage", "R-102D2": "cleavage",
    "399110001": "tangential", "R-102C2": "tangential",
}  # fmt: skip
# Words of a view that are written out, the longer ones first.
_PHRASES = {
    r"CRANIO ?CAUDAL EXAGGERATED LATERAL(?:LY)?": "XCCL",
    r"CRANIO ?CAUDAL EXAGGERATED MEDIAL(?:LY)?": "XCCM",
    r"(?:MEDIO|MEDIAL) ?LATERAL OBLIQUE": "MLO",
    r"(?:LATERO|LATERAL) ?MEDIAL OBLIQUE": "LMO",
    r"(?:MEDIO|MEDIAL) ?LATERAL": "ML",
    r"(?:LATERO|LATERAL) ?MEDIAL": "LM",
    r"CRANIO ?CAUDAL": "CC",
    r"CAUDO ?CRANIAL": "FB",
    r"IMPLANT DISPLACED": "ID",
    r"SPOT COMPRESSION": "SPOT",
}
_SIDES = {
    "L": Laterality.LEFT, "LEFT": Laterality.LEFT,
    "R": Laterality.RIGHT, "RIGHT": Laterality.RIGHT,
}  # fmt: skip
_MODIFIERS = {
    "SPOT": ViewModifier.SPOT_COMPRESSION,
    "MAG": ViewModifier.MAGNIFICATION,
    "MAGNIFIED": ViewModifier.MAGNIFICATION,
    "MAGNIFICATION": ViewModifier.MAGNIFICATION,
    "ID": ViewModifier.IMPLANT_DISPLACED,
}
_JOINED = re.compile(rf"([LR]?)({'|'.join(sorted(ViewPosition, key=len, reverse=True))})(ID)?")


@dataclass(frozen=True)
class View:
    """How the breast was looked at.

    Attributes:
        laterality: Side of the breast.
        laterality_source: Attribute that it comes from.
        position: Projection.
        position_source: Attribute that it comes from.
        modifiers: What changes the view, in the order of the alphabet.
    """

    laterality: Laterality | None = None
    laterality_source: str | None = None
    position: ViewPosition | None = None
    position_source: str | None = None
    modifiers: tuple[ViewModifier, ...] = ()


@dataclass(frozen=True)
class _Wording:
    """What the words of a view say."""

    side: Laterality | None = None
    position: ViewPosition | None = None
    modifiers: frozenset[ViewModifier] = frozenset()


def read_view(values: HeaderValues, doubts: list[str]) -> View:
    """Read side and view of an image.

    The name of a view is free in practice; one that is not clear throughout counts as none.

    Args:
        values: The header.
        doubts: Takes what is odd.

    References:
        DICOM PS3.16, CID 4014 (views) and CID 4015 (modifiers).
    """
    wording = understand_view(values.text("ViewPosition"))
    laterality, laterality_source = _laterality(values, wording, doubts)
    codes = _modifier_codes(values)
    position, position_source = _position(values, wording, codes, doubts)
    modifiers = {_MODIFIER_CODES[code] for code in codes if code in _MODIFIER_CODES}
    changed = sorted({_DOUBTED_CODES[code] for code in codes if code in _DOUBTED_CODES})
    doubts += [f"the view is changed: {name}" for name in changed]
    return View(
        laterality,
        laterality_source,
        position,
        position_source,
        tuple(sorted(modifiers | wording.modifiers)),
    )


def understand_view(text: str) -> _Wording:
    """Understand the words of a view; nothing of them if one is unknown or two disagree.

    Example:
        >>> wording = understand_view("R MLO-spot")
        >>> wording.side.value, wording.position.value, [m.value for m in wording.modifiers]
        ('R', 'MLO', ['spot compression'])
        >>> understand_view("MLO axilla").position is None
        True
    """
    words = re.sub(r"[^A-Z]+", " ", text.upper()).strip()
    for phrase, word in _PHRASES.items():
        words = re.sub(rf"\b{phrase}\b", word, words)
    sides, positions, modifiers = set(), set(), set()
    for word in words.split():
        joined = _JOINED.fullmatch(word)
        if joined:
            sides |= {_SIDES[joined[1]]} if joined[1] else set()
            positions.add(ViewPosition(joined[2]))
            modifiers |= {ViewModifier.IMPLANT_DISPLACED} if joined[3] else set()
        elif word in _SIDES:
            sides.add(_SIDES[word])
        elif word in _MODIFIERS:
            modifiers.add(_MODIFIERS[word])
        else:
            return _Wording()
    if len(positions) != 1 or len(sides) > 1:
        return _Wording()
    return _Wording(next(iter(sides), None), positions.pop(), frozenset(modifiers))


def _laterality(
    values: HeaderValues, wording: _Wording, doubts: list[str]
) -> tuple[Laterality | None, str | None]:
    """Return the side and the attribute that it comes from."""
    keywords = ("ImageLaterality", "FrameLaterality", "Laterality")
    stated = [(_SIDES.get(values.text(keyword)), keyword) for keyword in keywords]
    stated.append((wording.side, "ViewPosition"))
    sides = [(side, keyword) for side, keyword in stated if side]
    for side, keyword in sides[1:]:
        if side is not sides[0][0]:
            doubts.append(f"{keyword} contradicts {sides[0][1]}, which was taken")
    return sides[0] if sides else (None, None)


def _position(
    values: HeaderValues, wording: _Wording, modifiers: list[str], doubts: list[str]
) -> tuple[ViewPosition | None, str | None]:
    """Return the view by name, by code, or where a scanner program put it, and which."""
    views = values.items("ViewCodeSequence")
    orientation = values.get("PatientOrientation") or ""
    names = [("ViewPosition", wording.position)]
    names += [("ViewCodeSequence", _coded_view(view)) for view in views]
    # Of film scanners only: elsewhere it holds two directions, which name no view.
    scanned = orientation.strip().upper() if isinstance(orientation, str) else ""
    names.append(("PatientOrientation", understand_view(scanned).position))
    found = [(position, source) for source, position in names if position]
    other = sorted({_OTHER_VIEW_CODES[code] for code in modifiers if code in _OTHER_VIEW_CODES})
    if other:
        doubts.append(f"the view is none of ours: {', '.join(other)}")
        return None, None
    if not found and (values.text("ViewPosition") or views):
        doubts.append("the view is none of ours")
    for position, source in found[1:]:
        if position is not found[0][0]:
            doubts.append(f"{source} contradicts {found[0][1]}, which was taken")
    return found[0] if found else (None, None)


def _coded_view(item: Any) -> ViewPosition | None:
    code = _VIEW_CODES.get(str(item.get("CodeValue", "")))
    return code or understand_view(str(item.get("CodeMeaning") or "")).position


def _modifier_codes(values: HeaderValues) -> list[str]:
    items = values.items("ViewModifierCodeSequence")
    for view in values.items("ViewCodeSequence"):
        items += view.get("ViewModifierCodeSequence") or ()
    return [str(item.get("CodeValue", "")) for item in items]
