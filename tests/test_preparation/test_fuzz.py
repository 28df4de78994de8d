"""Whatever is in a file, an image or a clear reason comes of it: no crash, no hang, no flood."""

import pytest
from hypothesis import HealthCheck, given, settings

import fuzzing
from fuzz_cases import KEYWORDS, SEEDS, damaged_files, damaged_streams, odd_headers, ways
from fuzzing import Victim

QUICK = settings(
    max_examples=150, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
LONG = settings(QUICK, max_examples=4000, derandomize=False)


@pytest.fixture(scope="module")
def victim(tmp_path_factory):
    started = Victim(tmp_path_factory.mktemp("victim"))
    yield started
    started.stop()


@pytest.mark.parametrize(
    ("does", "fault"),
    [
        ("os.abort()", "crash: exit code -6"),
        ("time.sleep(60)", "hang"),
        ("say({'rejected': 'unexpected KeyError'})", "no clear reason"),
        ("say({'rejected': 'too large for the memory'})", "out of memory"),
        ("say({'raised': 'OSError()'})", "raised OSError"),
        ("say({}, printed='libpng warning')", "printed libpng warning"),
        ("say({}, seconds=6)", "took 6.0 s"),
        ("say({'manufacturer': 'Planted^Person'})", "tells of the patient"),
    ],
)
def test_what_a_file_does_to_the_process_is_noticed(tmp_path, monkeypatch, does, fault):
    script = tmp_path / "victim.py"
    script.write_text(f"""import json, os, time
def say(result, seconds=0, printed=""):
    print(json.dumps({{"result": result, "seconds": seconds, "printed": printed}}), flush=True)
while input():
    {does}
""")
    monkeypatch.setattr(fuzzing, "VICTIM", script)
    monkeypatch.setattr(fuzzing, "FINDINGS", tmp_path / "kept")
    monkeypatch.setattr(fuzzing, "HANGS_S", 1)
    victim = Victim(tmp_path)
    for _ in range(2):
        with pytest.raises(AssertionError, match=fault):
            victim.prepare(b"a file", 0)
    victim.stop()
    assert [path.read_bytes() for path in (tmp_path / "kept").iterdir()] == [b"a file"]


def test_every_sound_file_is_prepared(victim):
    for data in SEEDS:
        victim.prepare(data, 2)  # The middle of several frames.
    assert victim.outcomes == {"prepared": len(SEEDS)}


def test_what_the_preparation_reads_is_known():
    assert {"Rows", "LUTData", "ViewCodeSequence", "PixelPaddingValue"} < set(KEYWORDS)


@QUICK
@given(file=damaged_files, way=ways)
def test_damaged_bytes_give_an_image_or_a_reason(victim, file, way):
    victim.prepare(file.data, way)


@QUICK
@given(file=damaged_streams, way=ways)
def test_damaged_pixel_data_give_an_image_or_a_reason(victim, file, way):
    victim.prepare(file.data, way)


@QUICK
@given(file=odd_headers(), way=ways)
def test_odd_headers_give_an_image_or_a_reason(victim, file, way):
    victim.prepare(file.data, way)


@pytest.mark.slow
@LONG
@given(file=damaged_files, way=ways)
def test_thousands_of_damaged_files_give_an_image_or_a_reason(victim, file, way):
    victim.prepare(file.data, way)


@pytest.mark.slow
@LONG
@given(file=damaged_streams, way=ways)
def test_thousands_of_damaged_pixel_data_give_an_image_or_a_reason(victim, file, way):
    victim.prepare(file.data, way)


@pytest.mark.slow
@LONG
@given(file=odd_headers(), way=ways)
def test_thousands_of_odd_headers_give_an_image_or_a_reason(victim, file, way):
    victim.prepare(file.data, way)
