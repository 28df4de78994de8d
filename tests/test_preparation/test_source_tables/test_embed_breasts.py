"""What the findings of EMBED say of a breast."""

import pytest

from embed_tables import DIAGNOSTIC, TASKS, finding, image, labels, malignant, write_tables
from mammography.preparation.sources.embed import read_contents
from mammography.structures.task import parse_tasks


@pytest.mark.parametrize("side", ["", "B", "NA"])
def test_a_row_of_both_or_no_side_speaks_of_both_breasts(tmp_path, side):
    write_tables(tmp_path, [finding(side=side, asses="B")])
    expected = {"malignant": 0, "birads": 1, "density": 1, "age_years": 52}
    assert labels(tmp_path) == {"L": expected, "R": expected}


def test_a_row_of_one_side_speaks_of_that_breast_alone(tmp_path):
    rows = [finding(side="L", asses="A"), finding(side="R", numfind=2)]
    write_tables(tmp_path, rows)
    exam = {"density": 1, "age_years": 52}
    assert labels(tmp_path) == {"L": exam, "R": exam | {"malignant": 0, "birads": 0}}


@pytest.mark.parametrize(
    ("severity", "label", "pathology"),
    [(0, 1, 5), (1, 1, 4), (2, 0, 3), (3, 0, 2), (4, 0, 1), (5, None, None), (6, None, None)],
)
def test_pathology_decides_and_cancer_of_another_organ_is_no_label(
    tmp_path, severity, label, pathology
):
    write_tables(tmp_path, [finding(side="L", asses="S", path_severity=f"{severity}.0")])
    found = labels(tmp_path)["L"]
    assert (found.get("malignant"), found.get("pathology")) == (label, pathology)
    assert found["birads"] == 3


def test_severity_5_is_normal_tissue_only_if_it_is_said_since_two_documents_differ(tmp_path):
    write_tables(tmp_path, [finding(side="L", asses="S", path_severity=5)])
    found = labels(tmp_path, severity_5="normal")["L"]
    assert (found["malignant"], found["pathology"]) == (0, 0)
    write_tables(tmp_path, [finding(side="L", path_severity=n) for n in (5, 4)])
    assert "malignant" not in labels(tmp_path)["L"]


def test_the_worst_of_several_specimens_and_findings_counts_for_its_breast(tmp_path):
    rows = [
        finding(side="L", asses="S", path_severity=4),
        finding(side="L", asses="S", path_severity=1),
        finding(side="L", asses="B", numfind=2),
        finding(side="R", asses="S", path_severity=4, numfind=3),
        finding(side="R", asses="B", numfind=4),
    ]
    assert malignant(tmp_path, rows) == (1, 0)
    assert [labels(tmp_path)[side]["pathology"] for side in "LR"] == [4, 1]


@pytest.mark.parametrize(
    ("letter", "by_default", "birads"),
    [
        ("N", 0, 0), ("B", 0, 1), ("P", None, 2), ("S", None, 3), ("M", None, 4),
        ("A", None, None), ("K", None, None), ("X", None, None), ("", None, None),
    ],
)  # fmt: skip
def test_without_pathology_only_negative_and_benign_assessments_are_negative(
    tmp_path, letter, by_default, birads
):
    write_tables(tmp_path, [finding(asses=letter)])
    found = labels(tmp_path)["L"]
    assert (found.get("malignant"), found.get("birads")) == (by_default, birads)


def test_an_option_says_which_assessments_are_negative(tmp_path):
    rows = [finding(side="L", asses="B"), finding(side="R", asses="P", numfind=2)]
    assert malignant(tmp_path, rows, negatives=("N",)) == (None, None)
    assert malignant(tmp_path, rows, negatives=("N", "B", "P")) == (0, 0)
    assert malignant(tmp_path, rows, negatives=()) == (None, None)


@pytest.mark.parametrize("letter", ["A", "P", "S", "M", "K", "X", ""])
def test_one_finding_that_is_not_negative_leaves_the_breast_without_label(tmp_path, letter):
    rows = [finding(side="L"), finding(side="L", asses=letter, numfind=2)]
    assert malignant(tmp_path, rows)[0] is None


@pytest.mark.parametrize("letter", ["A", "P", "S", "M", "X", ""])
def test_a_benign_specimen_says_nothing_about_a_finding_without_one(tmp_path, letter):
    proven = finding(side="L", asses="S", path_severity=4)
    assert malignant(tmp_path, [proven])[0] == 0
    rows = [proven, finding(side="L", asses=letter, numfind=2)]
    assert malignant(tmp_path, rows)[0] is None
    assert labels(tmp_path)["L"]["pathology"] == 1
    rows.append(finding(side="L", asses="M", path_severity=0, numfind=3))
    assert malignant(tmp_path, rows)[0] == 1


def test_a_specimen_of_one_breast_proves_nothing_for_the_other(tmp_path):
    rows = [
        finding(side="B", asses="S", path_severity=4, bside="L"),
        finding(side="R", asses="N", numfind=2),
    ]
    assert malignant(tmp_path, rows) == (0, None)
    assert malignant(tmp_path, [row | {"asses": "N"} for row in rows]) == (0, 0)


def test_known_cancer_beside_benign_pathology_is_a_contradiction_and_no_label(tmp_path):
    rows = [finding(side="L", asses="K"), finding(side="L", path_severity=4, numfind=2)]
    assert malignant(tmp_path, rows)[0] is None


@pytest.mark.parametrize(
    ("side", "specimen", "severity", "expected"),
    [
        ("L", "L", 0, (1, None)),
        ("L", "", 0, (1, None)),
        ("B", "L", 0, (1, None)),
        ("", "R", 0, (None, 1)),
        ("B", "B", 0, (1, 1)),
        ("L", "R", 0, (None, None)),
        ("L", "B", 0, (None, None)),
        ("B", "", 0, (None, None)),
        ("", "", 4, (None, None)),
    ],
)
def test_pathology_is_of_the_breast_that_the_cells_agree_on_or_of_nobody_knows_which(
    tmp_path, side, specimen, severity, expected
):
    rows = [finding(side=side, asses="S", path_severity=severity, bside=specimen)]
    assert malignant(tmp_path, rows) == expected
    unclear = read_contents(tmp_path, TASKS).facts["pathology_of_unclear_side"]
    assert unclear == (expected == (None, None))


def test_pathology_of_an_unclear_side_hides_negatives_but_no_cancer(tmp_path):
    rows = [
        finding(side="L", asses="S", path_severity=1),
        finding(side="R", numfind=2),
        finding(side="", asses="B", path_severity=0, numfind=3),
    ]
    assert malignant(tmp_path, rows) == (1, None)
    assert "pathology" not in labels(tmp_path)["L"]  # A graver one may be of this breast.
    rows[0]["path_severity"] = 0
    assert malignant(tmp_path, rows) == (1, None)
    assert labels(tmp_path)["L"]["pathology"] == 5


def test_a_breast_without_row_is_negative_only_if_asked_for_and_the_exam_is_of_both(tmp_path):
    row = finding(side="L", asses="A")
    assert malignant(tmp_path, [row]) == (None, None)
    assert malignant(tmp_path, [row], implied=True) == (None, 0)
    assert labels(tmp_path, implied=True)["R"]["birads"] == 0
    assert malignant(tmp_path, [row | {"desc": DIAGNOSTIC}], implied=True) == (None, None)
    rows = [row, finding(side="R", asses="X", numfind=2)]
    assert malignant(tmp_path, rows, implied=True) == (None, None)
    rows = [row, row | {"desc": "MG Screening", "numfind": 2}]
    assert malignant(tmp_path, rows, implied=True) == (None, 0)


def test_an_image_of_unknown_side_is_not_implied_to_be_negative(tmp_path):
    write_tables(tmp_path, [finding(side="L", asses="A")], [image("")])
    assert "malignant" not in labels(tmp_path, implied=True)["None"]


def test_birads_is_the_gravest_and_an_incomplete_one_goes_before_harmless_ones(tmp_path):
    tasks = parse_tasks(["birads:ordinal=0,1,2,3,4,5,6"])
    for letters, expected in {"NB": 2, "AN": 0, "AP": 0, "AS": 4, "BM": 5, "MK": 6}.items():
        write_tables(tmp_path, [finding(asses=a, numfind=i) for i, a in enumerate(letters)])
        assert labels(tmp_path, tasks)["L"] == {"birads": expected}, letters


@pytest.mark.parametrize(("cells", "label"), [(["1"], 0), (["4.0", ""], 3), (["5"], None)])
def test_density_5_is_a_man_and_no_density(tmp_path, cells, label):
    write_tables(tmp_path, [finding(tissueden=cell) for cell in cells])
    assert labels(tmp_path)["L"].get("density") == label


def test_two_densities_in_one_exam_are_no_label_and_counted(tmp_path):
    write_tables(tmp_path, [finding(tissueden=2), finding(tissueden=3, numfind=2)])
    assert "density" not in labels(tmp_path)["L"]
    assert read_contents(tmp_path, TASKS).facts["exams_with_two_densities"] == 1


def test_an_image_without_side_has_the_labels_of_the_exam_alone(tmp_path):
    write_tables(tmp_path, images=[image("", number=1), image("L")])
    found = labels(tmp_path)
    assert found["None"] == {"density": 1, "age_years": 52}
    assert read_contents(tmp_path, TASKS).facts["images_without_side"] == 1
