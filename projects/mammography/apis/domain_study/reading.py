"""Read a study file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mammography.apis.config import UsageError, repository_of
from mammography.apis.domain_study.fields import (
    check_keys,
    check_known,
    chosen,
    named,
    settings,
    several,
    whole,
)
from mammography.apis.domain_study.study import (
    Domain,
    Input,
    Model,
    Source,
    Start,
    StatisticsHook,
    Study,
)
from mammography.functional.aggregation import POOLINGS
from mammography.functional.curve_areas import AREAS
from mammography.functional.score_measures import MEASURES
from mammography.reports.domain_study.cells import Outcome
from mammography.terms import Level

ROLES = {
    "train": "annotations/train.json",
    "val": "annotations/val.json",
    "test": "annotations/test.json",
    "adapt": "annotations/train.json",
}
_STUDY = (
    *("models", "domains", "sources", "targets", "statistics", "inputs", "options", "task"),
    *("level", "pooling", "reference", "reference_model", "measures", "seeds", "repeats"),
)
_MODEL = (
    *("config", "options", "sources", "adapt_to", "statistics", "start", "select"),
    *("checkpoint", "trained_on"),
)
_START = ("model", "source", "allow")
_INPUT = ("transforms", "options")
_OF_STATISTICS = ("images", "options")


def read_study(path: str | Path, options: Mapping[str, Any] | None = None) -> Study:
    """Read a study file and check it as far as it can be without reading configs and data.

    Its form is that of the example in :mod:`mammography.apis.domain_study`.

    Args:
        path: The file; names that begin with ``_`` are helpers of it.
        options: Changes of the file by dotted names.

    Raises:
        UsageError: If there is no such file or it does not say what it must.
    """
    path = Path(path)
    if not path.is_file():
        raise UsageError(f"study {path} does not exist")
    try:
        cfg = Config.fromfile(path)
        cfg.merge_from_dict(dict(options or {}))
    except (KeyError, TypeError, IndexError, SyntaxError, NameError) as error:
        raise UsageError(f"{path.name}: {type(error).__name__}: {error}") from error
    given = {name: value for name, value in cfg.to_dict().items() if not name.startswith("_")}
    check_keys(path.name, given, _STUDY)
    missing = [name for name in ("models", "domains", "targets") if name not in given]
    if missing:
        raise UsageError(f"{path.name}: {', '.join(missing)} must be given")
    return _Reader(path, given).read(cfg.pretty_text)


class _Reader:
    """Reads the parts of one study file; every error begins with the place."""

    def __init__(self, path: Path, given: Mapping[str, Any]) -> None:
        self.path, self.given, self.root = path, given, repository_of(path)

    def read(self, text: str) -> Study:
        """Return the study."""
        place = self.path.name
        domains = {
            name: self._domain(name, value)
            for name, value in named(f"{place}: domains", self.given["domains"]).items()
        }
        statistics = self._statistics()
        models = {
            name: self._model(name, value, domains, statistics)
            for name, value in named(f"{place}: models", self.given["models"]).items()
        }
        for model in models.values():
            if model.start:
                check_known(f"{place}: models.{model.name}.start", model.start.model, models)
        inputs = {"": Input()}
        if "inputs" in self.given:
            given = named(f"{place}: inputs", self.given["inputs"])
            inputs = {name: self._input(name, value) for name, value in given.items()}
        return Study(
            path=self.path,
            name=self.path.stem,
            text=text,
            root=self.root,
            domains=domains,
            models=models,
            targets=tuple(
                several(
                    f"{place}: targets",
                    self.given["targets"],
                    lambda where, name: check_known(where, name, domains),
                )
            ),
            statistics=statistics,
            inputs=inputs,
            options=settings(f"{place}: options", self.given.get("options")),
            seeds=tuple(several(f"{place}: seeds", self.given.get("seeds", [0]), whole)),
            outcome=self._outcome(statistics, models),
        )

    def _outcome(self, statistics: Mapping[str, Any], models: Mapping[str, Any]) -> Outcome:
        place, given = self.path.name, self.given
        pooling: Any = chosen(f"{place}: pooling", given.get("pooling", "mean"), POOLINGS)
        reference_model = given.get("reference_model", "")
        levels = [level for level in Level if level is not Level.PATCH]
        return Outcome(
            task=str(given.get("task", "malignant")),
            level=Level(chosen(f"{place}: level", given.get("level", "breast"), levels)),
            pooling=pooling,
            reference=check_known(
                f"{place}: reference", given.get("reference", "running"), statistics
            ),
            reference_model=reference_model
            and check_known(f"{place}: reference_model", reference_model, models),
            measures=tuple(
                several(
                    f"{place}: measures",
                    given.get("measures", [*AREAS]),
                    lambda where, name: check_known(where, name, MEASURES),
                )
            ),
            repeats=whole(f"{place}: repeats", given.get("repeats", 2000), 1),
        )

    def _find(self, place: str, value: Any) -> str:
        """Return a path that is there, from the current folder or from the repository."""
        if isinstance(value, str) and value:
            for path in (Path(value), self.root / value):
                if path.exists():
                    return str(path)
        raise UsageError(f"{place} must be there, got {value!r}")

    def _domain(self, name: str, value: Any) -> Domain:
        place = f"{self.path.name}: domains.{name}"
        if "+" in name:
            raise UsageError(f"{place}: '+' joins hospitals to one source, it cannot be in a name")
        given = settings(place, value)
        check_keys(place, given, ("data_root", *ROLES))
        files = {}
        for role, usual in ROLES.items():
            told = given.get(role, usual)
            told = {"ann_file": told} if isinstance(told, str) else settings(place, told)
            if not isinstance(told.get("ann_file"), str):
                raise UsageError(f"{place}.{role} must name its ann_file, got {told!r}")
            files[role] = told
        return Domain(name, self._find(f"{place}.data_root", given.get("data_root")), files)

    def _source(self, place: str, value: Any, domains: Mapping[str, Domain]) -> Source:
        """Read ``"a"``, ``"a+b"`` or ``["a", "b"]``."""
        names = value.split("+") if isinstance(value, str) else value
        return tuple(several(place, names, lambda where, name: check_known(where, name, domains)))

    def _model(
        self,
        name: str,
        value: Any,
        domains: Mapping[str, Domain],
        statistics: Mapping[str, Any],
    ) -> Model:
        place = f"{self.path.name}: models.{name}"
        given = settings(place, value)
        check_keys(place, given, _MODEL)
        checkpoint = given.get("checkpoint")
        trains = {"sources", "adapt_to", "start", "select"} & set(given)
        if checkpoint is not None and trains:
            raise UsageError(
                f"{place}: checkpoint is of a model that was trained elsewhere: drop it, or "
                f"{', '.join(sorted(trains))}"
            )
        adapt_to, chosen_statistics = given.get("adapt_to"), given.get("statistics", [*statistics])
        return Model(
            name=name,
            config=Path(self._find(f"{place}.config", given.get("config"))),
            options=settings(f"{place}.options", given.get("options")),
            sources=() if checkpoint else self._sources(place, given, domains),
            adapt_to=adapt_to and check_known(f"{place}.adapt_to", adapt_to, domains),
            statistics=tuple(
                several(
                    f"{place}.statistics",
                    chosen_statistics,
                    lambda where, one: check_known(where, one, statistics),
                )
            ),
            start=self._start(place, given["start"], domains) if "start" in given else None,
            select=str(given.get("select", "last")),
            checkpoint=checkpoint and self._find(f"{place}.checkpoint", checkpoint),
            trained_on=str(given.get("trained_on", "")),
        )

    def _sources(
        self, place: str, given: Mapping[str, Any], domains: Mapping[str, Domain]
    ) -> tuple[Source, ...]:
        """Read the sources of a model, else those of the study."""
        if "sources" not in given:
            place = self.path.name
        sources = given.get("sources", self.given.get("sources"))
        if sources is None:
            raise UsageError(f"{place}: sources must be given, by the model or for all of them")
        return tuple(
            several(f"{place}.sources", sources, lambda w, one: self._source(w, one, domains))
        )

    def _start(self, place: str, value: Any, domains: Mapping[str, Domain]) -> Start:
        place = f"{place}.start"
        given = {"model": value} if isinstance(value, str) else settings(place, value)
        check_keys(place, given, _START)
        source = given.get("source")
        return Start(
            str(given.get("model")),
            None if source is None else self._source(f"{place}.source", source, domains),
            tuple(several(f"{place}.allow", given["allow"])) if "allow" in given else (),
        )

    def _input(self, name: str, value: Any) -> Input:
        place = f"{self.path.name}: inputs.{name}"
        given = settings(place, value)
        check_keys(place, given, _INPUT)
        transforms = given.get("transforms") or ()
        return Input(
            tuple(several(f"{place}.transforms", transforms, settings)) if transforms else (),
            settings(f"{place}.options", given.get("options")),
        )

    def _statistics(self) -> dict[str, tuple[StatisticsHook, ...]]:
        place = f"{self.path.name}: statistics"
        given = named(place, self.given.get("statistics", {"running": None}))
        return {name: self._hooks(f"{place}.{name}", value) for name, value in given.items()}

    def _hooks(self, place: str, value: Any) -> tuple[StatisticsHook, ...]:
        items = value if isinstance(value, list | tuple) else [] if value is None else [value]
        hooks = []
        for item in items:
            hook = settings(place, item)
            ours = {key: hook.pop(key) for key in _OF_STATISTICS if key in hook}
            hook.setdefault("type", "NormStatisticsHook")
            hooks.append(
                StatisticsHook(
                    hook,
                    chosen(f"{place}.images", ours.get("images", "test"), ("test", "adapt")),
                    settings(f"{place}.options", ours.get("options")),
                )
            )
        return tuple(hooks)
