import pytest

from mammography.preparation.work.journal import Journal, read_journal

DONE = {"size_hw": [4, 3]}


def last_words(folder):
    return {image_id: entry.result for image_id, entry in read_journal(folder)[0].items()}


def test_an_empty_folder_has_no_entries_and_no_run(tmp_path):
    assert read_journal(tmp_path / "journal") == ({}, 0)


def test_what_is_appended_is_read_back(tmp_path):
    Journal(tmp_path, 1).append("i1", "key", DONE)
    entries, run = read_journal(tmp_path)
    assert (entries["i1"].key, entries["i1"].result, run) == ("key", DONE, 1)


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_torn_last_line_counts_as_none_and_the_next_line_is_whole(tmp_path, cut):
    journal = Journal(tmp_path, 1)
    journal.append("i1", "key", DONE)
    journal.append("i2", "key", DONE)
    (path,) = tmp_path.glob("*.jsonl")
    path.write_bytes(path.read_bytes()[:-cut])
    complete = {"i1": DONE} if cut > 1 else {"i1": DONE, "i2": DONE}
    assert last_words(tmp_path) == complete
    journal.append("i3", "key", DONE)
    assert last_words(tmp_path) == complete | {"i3": DONE}


def test_a_later_run_has_the_last_word_whatever_the_file_names(tmp_path):
    Journal(tmp_path, 2).append("i1", "new", DONE)
    (path,) = tmp_path.glob("*.jsonl")
    path.rename(tmp_path / "a.jsonl")
    Journal(tmp_path, 1).append("i1", "old", None)
    entries, run = read_journal(tmp_path)
    assert (entries["i1"].key, run) == ("new", 2)


def test_a_forgotten_image_is_not_done_until_it_is_finished_again(tmp_path):
    Journal(tmp_path, 1).append("i1", "key", DONE)
    again = Journal(tmp_path, 2)
    again.forget(["i1"])
    assert last_words(tmp_path) == {"i1": None}
    again.append("i1", "key", {"rejected": "no pixel data"})
    assert last_words(tmp_path) == {"i1": {"rejected": "no pixel data"}}


def test_within_a_run_a_finished_image_beats_the_forgotten_one_in_another_file(tmp_path):
    journal = Journal(tmp_path, 2)
    journal.append("i1", "key", DONE)
    (path,) = tmp_path.glob("*.jsonl")
    path.rename(tmp_path / "a.jsonl")
    journal.forget(["i1"])
    assert last_words(tmp_path) == {"i1": DONE}
