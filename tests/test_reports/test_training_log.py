import json
import math

from mammography.reports.training_log import read_training_log


def write(run_dir, timestamp, rows):
    folder = run_dir / timestamp / "vis_data"
    folder.mkdir(parents=True)
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    (folder / "scalars.json").write_text("\n".join(lines) + "\n")


def train(iteration, loss, **more):
    return {"lr": 0.1, "loss": loss, "iter": iteration, "step": iteration, **more}


def test_a_resumed_training_replaces_what_it_repeats(tmp_path):
    first = [train(10, 9.0, epoch=1), {"t/roc_auc": 0.5, "step": 1}]
    first += [train(20, 8.0, epoch=2), {"t/roc_auc": 0.6, "step": 2}, train(30, 7.0, epoch=3)]
    second = [train(20, 8.5, epoch=2), {"t/roc_auc": 0.65, "step": 2}]
    write(tmp_path, "20250101_000000", first)
    write(tmp_path, "20250102_000000", second)
    log = read_training_log(tmp_path)
    assert log.train_curve("loss") == ([10, 20], [9.0, 8.5])
    assert log.val_curve("t/roc_auc") == ([1, 2], [0.5, 0.65])
    assert log.starts == (20,)


def test_a_training_begun_anew_replaces_everything(tmp_path):
    write(tmp_path, "20250101_000000", [train(10, 9.0), {"a": 1.0, "step": 10}, train(20, 8.0)])
    write(tmp_path, "20250102_000000", [train(10, 5.0)])
    log = read_training_log(tmp_path)
    assert log.train_curve("loss") == ([10], [5.0])
    assert log.val == ()
    assert log.starts == ()


def test_a_validation_counted_in_iterations_before_the_checkpoint_stays(tmp_path):
    write(tmp_path, "20250101_000000", [train(100, 1.0), {"a": 0.1, "step": 100}, train(110, 1.0)])
    write(tmp_path, "20250102_000000", [train(110, 0.9)])
    log = read_training_log(tmp_path)
    assert log.val_curve("a") == ([100], [0.1])
    assert not log.by_epoch


def test_a_start_that_only_tested_changes_nothing(tmp_path):
    write(tmp_path, "20250101_000000", [train(10, 9.0)])
    write(tmp_path, "20250102_000000", [])
    log = read_training_log(tmp_path)
    assert log.train_curve("loss") == ([10], [9.0])
    assert log.folders == ("20250101_000000",)


def test_a_line_cut_off_by_a_kill_is_counted_and_skipped(tmp_path):
    write(tmp_path, "20250101_000000", [train(10, 9.0), '{"lr": 0.1, "lo'])
    log = read_training_log(tmp_path)
    assert len(log.train) == 1
    assert log.unreadable == 1


def test_a_diverged_loss_stays_visible(tmp_path):
    write(tmp_path, "20250101_000000", [train(10, float("nan"))])
    (_, (loss,)) = read_training_log(tmp_path).train_curve("loss")
    assert math.isnan(loss)


def test_what_is_not_a_number_is_left_out(tmp_path):
    write(tmp_path, "20250101_000000", [train(10, 9.0, matrix=[[1, 2]], name="x", flag=True)])
    assert set(read_training_log(tmp_path).train[0]) == {"lr", "loss", "iter", "step"}


def test_a_folder_without_logs_gives_an_empty_log(tmp_path):
    assert read_training_log(tmp_path).train == ()
