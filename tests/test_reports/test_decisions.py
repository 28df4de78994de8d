from mammography.reports.blocks import Table, Text
from mammography.reports.run_folder import Run
from mammography.reports.sections.decisions import decision_blocks
from mammography.reports.sections.results import results_section

PART = {"n": 1200, "n_positive": 24, "roc_auc": 0.81, "average_precision": 0.3, "pf1": 0.2}
AT = {"sensitivity": 0.75, "specificity": 0.9, "ppv": 0.13, "recall_rate": 0.11}
MALIGNANT = {
    "roc_auc": 0.8,
    "average_precision": 0.31,
    "n": 4000,
    "n_positive": 80,
    "pf1": 0.21,
    "threshold": 0.0625,
    **AT,
    "operating_point": {
        "level": "breast",
        "pooling": "mean",
        "chosen": {"rule": "sensitivity_at_specificity", "at_least": 0.9, "epoch": 7},
    },
    "subgroups": {
        "manufacturer": {"alpha": PART | AT, "beta": PART | AT | {"roc_auc": None, "n": 8}}
    },
}


def run(**tasks):
    return Run("r", metrics=tasks)


def tables(blocks):
    return {b.caption: [dict(zip(b.header, row, strict=True)) for row in b.rows] for b in blocks}


def test_the_threshold_says_by_what_and_after_which_epoch_it_was_chosen():
    everything, by_maker, text = decision_blocks(run(malignant=MALIGNANT))
    ((row,),) = tables([everything]).values()
    assert row["case"] == "breast, mean of its images"
    assert (row["pF1"], row["threshold"], row["called back"]) == ("0.210", "0.062", "0.110")
    assert row["chosen by"] == "sensitivity_at_specificity at_least=0.9, epoch 7"
    rows = tables([by_maker])["malignant by manufacturer"]
    assert [(r["manufacturer"], r["n"], r["positive"]) for r in rows] == [
        ("alpha", "1,200", "24"),
        ("beta", "8", "24"),
    ]
    assert [r["ROC-AUC"] for r in rows] == ["0.810", "not defined"]
    assert isinstance(text, Text)


def test_metrics_of_images_and_of_breasts_are_not_in_one_table():
    section = results_section(run(malignant=MALIGNANT))
    first = next(block for block in section.blocks if isinstance(block, Table))
    assert first.header == ("task", "n", "positive", "ROC-AUC", "average precision")


def test_without_a_threshold_there_is_the_score_alone():
    plain = {"n": 8, "pf1": 0.2}
    (table,) = decision_blocks(run(malignant=plain))
    assert table.rows[0][:3] == ("malignant", "–", "0.200")  # noqa: RUF001


def test_a_run_without_decisions_has_no_table():
    assert decision_blocks(run(malignant={"roc_auc": 0.8, "n": 4})) == ()
    assert decision_blocks(Run("r")) == ()
