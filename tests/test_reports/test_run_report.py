import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mammography.functional.area_estimates import estimate_areas
from mammography.reports.run_report import SECTIONS, write_run_report
from mammography.structures.prediction import PredictionRecord
from mammography.structures.task import Task
from mammography.terms import TaskKind
from test_reports.invented_run import labels_and_scores, records, write_run, write_tests

ANCHORS = (
    "summary",
    "results",
    "cohort",
    "tasks",
    "examples",
    "training",
    "validation",
    "methods",
    "configuration",
)
EVIL = "<script>alert(1)</script>"


def render(run_dir, tmp_path, **arguments):
    return write_run_report(run_dir, tmp_path / "page.html", **arguments).read_text("utf-8")


def section(page, anchor):
    return re.search(rf'<section id="{anchor}">(.*?)</section>', page, re.DOTALL)[1]


def page_of_test(tmp_path, rows, tasks=None, info=None):
    """Write a run that has test results only, and return its page."""
    run_dir = tmp_path / "work_dirs" / "a_config"
    run_dir.mkdir(parents=True)
    write_tests(run_dir, rows, info or {}, **({"tasks": tasks} if tasks else {}))
    return render(run_dir, tmp_path)


def test_every_section_is_there_and_linked(page):
    assert len(SECTIONS) == len(ANCHORS)
    assert tuple(re.findall(r'<section id="(\w+)">', page)) == ANCHORS
    assert tuple(re.findall(r'<a href="#(\w+)">', page)) == ANCHORS


def test_the_auc_and_average_precision_of_the_page_are_those_of_sklearn(page):
    labels, scores = labels_and_scores(40)
    tasks = section(page, "tasks")
    assert f"ROC-AUC = {roc_auc_score(labels, scores):.4f}" in tasks
    assert f"Average precision = {average_precision_score(labels, scores):.4f}" in tasks
    assert "n = 40 images, 10 positive" in tasks
    cells = re.findall(r"<td>(.*?)</td>", section(page, "results"))
    assert f"{roc_auc_score(labels, scores):.3f}" in cells


def test_the_confusion_matrix_counts_right_predictions(page):
    rows = records(40)
    right = sum(
        int(np.argmax(row.pred_score["density"])) == row.gt_label["density"] for row in rows
    )
    assert f"n = 40 images, {right} right" in section(page, "tasks")


def test_a_task_with_one_class_says_so(page):
    assert "not defined: only class 0 (n = 14 images)" in section(page, "tasks")
    assert "ROC-AUC not defined: only class 0 among 14" in section(page, "results")
    assert "ROC: lvi" not in page


def test_a_resumed_run_says_where(page):
    training = section(page, "training")
    assert "iteration 240, epoch 12" in training
    assert "logging again from iteration 101" in training


def test_the_best_validation_is_the_highest_auc_and_the_lowest_loss(page):
    rows = re.findall(r"<tr>(.*?)</tr>", section(page, "validation"), re.DOTALL)
    cells = {row[0]: row[1:] for row in (re.findall(r">([^<>]+)</t[hd]>", row) for row in rows)}
    assert cells["malignant: ROC-AUC"] == ["0.826", "12", "0.826", "12"]
    assert cells["malignant: BCE (nats)"] == ["0.421", "12", "0.421", "12"]
    assert cells["lvi: ROC-AUC"][0] == "not defined"


def test_the_page_needs_nothing_outside_itself(page):
    assert not re.findall(r"https?://|@import|<script|<link|<iframe", page)
    addresses = re.findall(r"""\b(?:src|srcset|href|action|data)\s*=\s*["']?([^"'>\s]*)""", page)
    addresses += re.findall(r"url\(([^)]*)\)", page)
    assert addresses
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in addresses)
    assert "default-src 'none'" in page


def test_the_page_is_well_formed(page):
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids))


class Nesting(HTMLParser):
    """Notes tags and attributes; fails where a closing tag does not close the last open one."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.tags = set()
        self.attributes = set()

    def handle_starttag(self, tag, attrs):
        self.note(tag, attrs)
        if tag not in ("meta", "br", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.note(tag, attrs)

    def note(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_every_figure_has_text_for_those_who_cannot_see_it_and_says_n(page):
    charts = re.findall(r'<figure class="chart">.*?</figure>', page, re.DOTALL)
    assert len(charts) == 4 + 4 + 6
    for chart in charts:
        assert re.search(r'role="img" aria-label="[^"]{20,}"', chart)
        assert "n = " in chart


def test_the_same_run_gives_the_same_bytes(run_dir, page, tmp_path):
    assert render(run_dir, tmp_path) == page


def test_a_page_weighs_less_than_five_megabytes(page):
    assert len(page.encode()) < 5e6


def test_pictures_carry_the_boxes_of_the_annotation(page):
    examples = section(page, "examples")
    assert examples.count("<image ") == 5 + 6 + 5 + 6
    assert 'viewBox="0 0 100 160"' in examples
    boxes = re.findall(r'<rect class="(\w+)" x="30" y="55" width="30" height="30"/>', examples)
    assert set(boxes) == {"malignant", "benign", "unknown"}
    assert "Grey values are stretched for display" in examples


def test_pictures_are_chosen_by_label_and_score(page):
    labels, scores = labels_and_scores(40)
    groups = re.findall(
        r"<h4>(.*?)</h4>\s*<div class=\"gallery\">(.*?)</div>", section(page, "examples"), re.DOTALL
    )
    shown = {title: re.findall(r"score ([\d.]+)<", body) for title, body in groups[:3]}
    positive, negative = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    assert shown == {
        "Positives with the highest scores (5 of 10)": [f"{s:.3f}" for s in positive[::-1][:5]],
        "Negatives with the highest scores (6 of 30)": [f"{s:.3f}" for s in negative[::-1][:6]],
        "Positives with the lowest scores (5 of 10)": [f"{s:.3f}" for s in positive[:5]],
    }


def test_an_empty_folder_gives_a_page_that_names_each_gap_and_its_remedy(tmp_path):
    empty = tmp_path / "some_config"
    empty.mkdir()
    page = render(empty, tmp_path)
    gaps = {
        "results": ("test/metrics.json", "python tools/test.py CONFIG CHECKPOINT"),
        "cohort": ("test/predictions.json", "python tools/test.py CONFIG CHECKPOINT"),
        "tasks": ("test/predictions.json", "tools/test.py"),
        "examples": ("test/predictions.json", "tools/test.py"),
        "training": ("scalars.json", "LocalVisBackend"),
        "validation": ("no validation", "val_evaluator"),
        "configuration": ("no dumped config", "tools/train.py"),
    }
    for anchor, words in gaps.items():
        for word in words:
            assert word in section(page, anchor)


def test_a_remedy_names_the_best_or_else_the_last_weights(tmp_path):
    run_dir = tmp_path / "a_config"
    run_dir.mkdir()
    for name in ("epoch_9.pth", "epoch_10.pth"):
        (run_dir / name).touch()
    assert "work_dirs/a_config/epoch_10.pth<" in render(run_dir, tmp_path)
    (run_dir / "best_malignant_roc_auc_epoch_9.pth").touch()
    assert "a_config/best_malignant_roc_auc_epoch_9.pth<" in render(run_dir, tmp_path)


def test_broken_files_are_named_and_the_rest_is_shown(run_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run_dir, copy)
    (copy / "test" / "metrics.json").write_text("{")
    (copy / "test" / "predictions.json").write_text('{"metainfo": {}, "data_list": []}')
    page = render(copy, tmp_path)
    assert "test/metrics.json could not be read: JSONDecodeError" in page
    assert "test/predictions.json could not be read: KeyError" in page
    assert "Total loss" in page


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a folder: give the one of a run"):
        write_run_report(tmp_path / "absent")


def test_a_handful_of_images_measures_nothing(tmp_path):
    page = render(write_run(tmp_path, n=4), tmp_path)
    assert "n = 4 images: measures nothing" in section(page, "summary")


def test_enough_images_raise_no_size_warning_but_few_positives_do(tmp_path):
    rows = tuple(
        PredictionRecord(f"{i}.png", gt_label={"m": float(i < 6)}, pred_score={"m": i / 99})
        for i in range(60)
    )
    page = page_of_test(tmp_path, rows, {"m": Task("m", TaskKind.BINARY)})
    assert "measures nothing" not in page
    assert "m: only 6 images of one class (6 positive, 54 negative)" in page


def test_images_of_the_training_split_are_pointed_out(tmp_path):
    row = {"gt_label": {"m": 0.0}, "pred_score": {"m": 0.1}}
    rows = [
        PredictionRecord(f"{i}.png", split="train" if i < 3 else "test", **row) for i in range(9)
    ]
    page = page_of_test(tmp_path, tuple(rows), {"m": Task("m", TaskKind.BINARY)})
    assert "3 of 9 tested images belong to the training split" in page


def test_metrics_and_predictions_of_different_tests_are_pointed_out(run_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run_dir, copy)
    told = json.loads((copy / "test" / "metrics.json").read_text())
    told["tasks"]["malignant"]["roc_auc"] -= 0.1
    told["tasks"]["density"]["n"] = 7
    (copy / "test" / "metrics.json").write_text(json.dumps(told))
    summary = section(render(copy, tmp_path), "summary")
    assert summary.count("they come from different tests") == 2


def test_the_mean_over_tasks_has_a_table_of_its_own(run_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run_dir, copy)
    told = json.loads((copy / "test" / "metrics.json").read_text())
    told["tasks"]["mean"] = {"roc_auc": 0.7654}
    (copy / "test" / "metrics.json").write_text(json.dumps(told))
    results = section(render(copy, tmp_path), "results")
    assert re.search(r"over all tasks.*mean.*0\.765", results, re.DOTALL)


def test_agreeing_files_raise_no_warning(page):
    assert "different tests" not in page


def test_scores_that_are_not_finite_are_counted_aloud(tmp_path):
    rows = tuple(
        PredictionRecord(
            f"{i}.png",
            gt_label={"size": float(i)},
            pred_score={"size": float("nan") if i < 2 else float(i)},
        )
        for i in range(40)
    )
    page = page_of_test(tmp_path, rows, {"size": Task("size", TaskKind.REGRESSION)})
    assert "size: 2 labelled images without a finite score" in page
    assert "n = 38 images" in section(page, "tasks")


def test_predictions_of_another_form_are_named_and_cost_only_their_task(tmp_path):
    tasks = {"a": Task("a", TaskKind.BINARY), "b": Task("b", TaskKind.BINARY)}
    rows = tuple(
        PredictionRecord(
            f"{i}.png",
            gt_label={"a": float(i % 2), "b": float(i % 2)},
            pred_score={"a": i / 99, "b": i / 99},
        )
        for i in range(40)
    )
    run_dir = tmp_path / "a_config"
    write_tests(run_dir, rows, {}, tasks)
    path = run_dir / "test" / "predictions.json"
    content = json.loads(path.read_text())
    content["data_list"][5]["pred_score"]["b"] = [0.2, 0.8]
    path.write_text(json.dumps(content))
    page = render(run_dir, tmp_path)
    assert "b: the predictions cannot be used: 5.png: pred_score of b must be one number" in page
    assert "ROC: a" in page
    assert "ROC: b" not in page


def test_names_from_outside_are_text_and_never_markup(tmp_path):
    tasks = {
        EVIL: Task(EVIL, TaskKind.BINARY, ("<b>no</b>", EVIL)),
        "d": Task("d", TaskKind.MULTICLASS, ("A", EVIL, '" onload="x')),
    }
    rows = tuple(
        PredictionRecord(
            f"{EVIL}{i}.png",
            image_id=f"{EVIL}{i}",
            laterality=EVIL,
            gt_label={EVIL: float(i % 2), "d": float(i % 3)},
            pred_score={EVIL: i / 40, "d": [0.2, 0.3, 0.5]},
        )
        for i in range(40)
    )
    page = page_of_test(tmp_path, rows, tasks, {"versions": {EVIL: EVIL}, "note": EVIL})
    parser = Nesting()
    parser.feed(page)
    assert not parser.tags & {"script", "b", "i", "img"}
    assert not {name for name in parser.attributes if name.startswith("on")}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_lost_pictures_are_said_and_a_new_place_can_be_named(run_dir, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(run_dir, copy)
    path = copy / "test" / "predictions.json"
    content = json.loads(path.read_text())
    data_root = content["metainfo"]["data_root"]
    content["metainfo"]["data_root"] = "moved/away"
    path.write_text(json.dumps(content))
    lost = section(render(copy, tmp_path), "examples")
    assert "picture not found" in lost
    assert "--data-root" in lost
    found = section(render(copy, tmp_path, data_root=data_root), "examples")
    assert "picture not found" not in found


def test_a_box_of_another_image_size_is_not_drawn(tmp_path):
    run_dir = write_run(tmp_path)
    path = tmp_path / "dataset" / "phantom" / "annotations" / "test.json"
    content = json.loads(path.read_text())
    for row in content["data_list"]:
        row["size_hw"] = [999, 999]
    path.write_text(json.dumps(content))
    examples = section(render(run_dir, tmp_path), "examples")
    assert "annotated at another size: no box drawn" in examples
    assert "<rect class" not in examples


def test_a_diverged_training_is_pointed_out(tmp_path):
    folder = tmp_path / "a_config" / "20250101_000000" / "vis_data"
    folder.mkdir(parents=True)
    rows = [
        {"lr": 0.1, "loss": v, "iter": i, "step": i} for i, v in enumerate((2.0, float("nan")), 1)
    ]
    (folder / "scalars.json").write_text("\n".join(map(json.dumps, rows)))
    page = render(tmp_path / "a_config", tmp_path)
    assert "loss was not finite in 1 logged iteration, first at iteration 2" in page


def test_the_config_is_shown_whole_and_folded(page):
    configuration = section(page, "configuration")
    assert "max_epochs = 12" in configuration
    assert "<details>" in configuration


def test_an_auc_comes_with_the_interval_of_its_patients(tmp_path):
    page = section(render(write_run(tmp_path, n=80), tmp_path), "results")
    rows = records(80)
    labels, scores = labels_and_scores(80)
    found = estimate_areas(labels, [row.patient_id for row in rows], scores)
    low, high = found.roc[0].interval
    assert f"95 % interval {low:.3f} to {high:.3f} (Obuchowski 1997, patients as units)" in page
    patients = len({row.patient_id for row in rows})
    assert f"n = 80 images of {patients} patients" in page


def test_no_interval_is_given_to_a_handful_of_images(tmp_path):
    page = section(render(write_run(tmp_path, n=14), tmp_path), "results")
    assert "95 %" not in page


def test_a_page_of_exams_says_that_they_are_no_images(tmp_path):
    row = {"gt_label": {"m": 0.0}, "pred_score": {"m": 0.1}, "split": "test"}
    rows = tuple(PredictionRecord(f"{i}.png", exam_id=f"e{i}", **row) for i in range(3))
    tasks = {"m": Task("m", TaskKind.BINARY)}
    page = page_of_test(tmp_path, rows, tasks, {"level": "exam", "clinic_vars": ["age", "bmi"]})
    assert "Each exam was scored as a whole, from all its views." in page
    assert "a picture is the first view of one" in page
    assert "age, bmi" in page
    assert "scored as a whole" not in page_of_test(tmp_path / "images", rows, tasks)
