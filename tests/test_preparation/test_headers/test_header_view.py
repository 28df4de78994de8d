import pytest
from pydicom.sr._snomed_dict import mapping
from pydicom.sr.codedict import codes

from headers import header_of, item, view_code
from mammography.preparation.headers import header_view
from mammography.preparation.headers.header_view import understand_view
from mammography.terms import Laterality, ViewModifier, ViewPosition

NONE_OF_OURS = "the view is none of ours"


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ImageLaterality": "L"}, Laterality.LEFT),
        ({"Laterality": "R"}, Laterality.RIGHT),
        ({"ImageLaterality": "", "Laterality": "R"}, Laterality.RIGHT),
        ({"ImageLaterality": "LEFT"}, Laterality.LEFT),
        ({"ViewPosition": "RMLO"}, Laterality.RIGHT),
        ({"ImageLaterality": "B"}, None),
        ({}, None),
    ],
)
def test_laterality_is_read_from_the_image_or_else_the_series_or_the_view(tags, expected):
    header = header_of(**tags)
    assert header.laterality is expected
    assert header.facts["laterality_source"] == (list(tags)[-1] if expected else None)


@pytest.mark.parametrize(
    "tags",
    [
        {"ImageLaterality": "L", "Laterality": "R"},
        {"ImageLaterality": "L", "ViewPosition": "RCC"},
    ],
)
def test_contradicting_lateralities_are_a_doubt(tags):
    header = header_of(**tags)
    assert header.laterality is Laterality.LEFT
    assert f"{list(tags)[-1]} contradicts ImageLaterality, which was taken" in header.doubts


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"ViewPosition": "MLO"}, ViewPosition.MLO),
        ({"ViewPosition": "XCCL"}, ViewPosition.XCCL),
        ({"ViewPosition": "ML"}, ViewPosition.ML),
        ({"ViewPosition": "LM"}, ViewPosition.LM),
        ({"ViewCodeSequence": view_code("399162004")}, ViewPosition.CC),
        ({"ViewCodeSequence": view_code("R-10226")}, ViewPosition.MLO),
        ({"ViewCodeSequence": view_code("PRIVATE", meaning="medio-lateral")}, ViewPosition.ML),
        ({"ViewPosition": "", "ViewCodeSequence": view_code("399260004")}, ViewPosition.ML),
        ({"PatientOrientation": "CC"}, ViewPosition.CC),  # So in CBIS-DDSM.
        ({"PatientOrientation": ["A", "R"]}, None),
        ({"PatientOrientation": ["L", "F"]}, None),
        ({"ViewPosition": "ODD"}, None),
        ({}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_view_is_read_by_name_or_code_or_where_a_scanner_put_it(tags, expected):
    header = header_of(**tags)
    assert header.view_position is expected
    assert header.facts["view_source"] == (list(tags)[-1] if expected else None)


@pytest.mark.parametrize(
    ("text", "side", "view", "modifiers"),
    [
        ("CC", None, "CC", []),
        ("LCC", "L", "CC", []),
        ("R MLO", "R", "MLO", []),
        ("R-MLO", "R", "MLO", []),
        ("left cc", "L", "CC", []),
        ("LM", None, "LM", []),  # Not an M of the left breast.
        ("LML", "L", "ML", []),
        ("LLM", "L", "LM", []),
        ("LMO", None, "LMO", []),
        ("LMLO", "L", "MLO", []),
        ("RXCCL", "R", "XCCL", []),
        ("MLO-spot", None, "MLO", ["spot compression"]),
        ("CC SPOT MAG", None, "CC", ["magnification", "spot compression"]),
        ("LCCID", "L", "CC", ["implant displaced"]),
        ("CC Implant Displaced", None, "CC", ["implant displaced"]),
        ("cranio-caudal", None, "CC", []),
        ("medio-lateral oblique", None, "MLO", []),
        ("latero-medial oblique", None, "LMO", []),
        ("Cranio-Caudal exaggerated laterally", None, "XCCL", []),
    ],
)
def test_clear_words_of_a_view_are_understood(text, side, view, modifiers):
    wording = understand_view(text)
    assert (wording.side, wording.position) == (side, view)
    assert sorted(wording.modifiers) == modifiers


@pytest.mark.parametrize(
    "text",
    ["", "AT", "CV", "TAN", "RCC LMLO", "CC MLO", "L R CC", "SPOT", "MLO axilla", "XMLO", "L"],
)
def test_words_that_are_not_clear_throughout_name_no_view(text):
    assert understand_view(text) == understand_view("")
    assert understand_view(text).position is None


@pytest.mark.parametrize(
    "tags",
    [
        {"ViewPosition": "AT"},
        {"ViewPosition": "CLEAVAGE"},
        {"ViewCodeSequence": view_code("127457009", meaning="tissue specimen from breast")},
    ],
)
def test_a_view_that_we_have_no_term_for_is_a_doubt(tags):
    header = header_of(**tags)
    assert header.view_position is None
    assert NONE_OF_OURS in header.doubts
    assert not any(NONE_OF_OURS in doubt for doubt in header_of().doubts)


@pytest.mark.parametrize("code", ["399011000", "R-102D1"])
def test_an_axillary_tail_is_another_view_than_the_one_that_it_modifies(code):
    header = header_of(ViewPosition="MLO", ViewCodeSequence=view_code("399368009", code))
    assert header.view_position is None
    assert f"{NONE_OF_OURS}: axillary tail" in header.doubts


def test_a_rolled_view_is_still_the_view_with_a_doubt():
    header = header_of(ViewPosition="CC", ViewCodeSequence=view_code("399162004", "399197002"))
    assert header.view_position is ViewPosition.CC
    assert "the view is changed: rolled lateral" in header.doubts
    assert header.view_modifiers == ()


def test_contradicting_views_are_a_doubt():
    header = header_of(ViewPosition="CC", ViewCodeSequence=view_code("399368009"))
    assert header.view_position is ViewPosition.CC
    assert "ViewCodeSequence contradicts ViewPosition, which was taken" in header.doubts


def test_view_modifiers_are_told_wherever_they_stand():
    in_view = view_code("399162004", "399163009", "399055006", "other")
    header = header_of(ViewCodeSequence=in_view)
    expected = (ViewModifier.MAGNIFICATION, ViewModifier.SPOT_COMPRESSION)
    assert header.view_modifiers == expected
    assert header.facts["view_modifiers"] == ["magnification", "spot compression"]
    outside = header_of(
        ViewModifierCodeSequence=[item(CodeValue="R-102D5")], ViewPosition="CC SPOT"
    )
    assert outside.view_modifiers == (ViewModifier.IMPLANT_DISPLACED, ViewModifier.SPOT_COMPRESSION)


def test_every_code_of_the_standard_is_known_and_no_other():
    def both(context_group):
        group = getattr(codes, context_group)
        found = {getattr(group, name).value for name in group.dir()}
        return found | {mapping["SCT"][code] for code in found}

    specimen = {"127457009", "G-8310"}
    assert set(header_view._VIEW_CODES) == both("CID4014") - specimen
    modifiers = header_view._MODIFIER_CODES | header_view._DOUBTED_CODES
    assert set(modifiers | header_view._OTHER_VIEW_CODES) == both("CID4015")
    meanings = {mapping["SRT"].get(c, c): m for c, m in modifiers.items()}
    for name in codes.CID4015.dir():
        code = getattr(codes.CID4015, name)
        if code.value in meanings:
            assert meanings[code.value].lower() == code.meaning.lower()
