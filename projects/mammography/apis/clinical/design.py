"""Which columns and rows the models of each mode are given."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from mammography.apis.clinical.columns import ColumnKinds, names_of, read_kinds, to_model_table
from mammography.apis.clinical.images import ImageTable
from mammography.apis.clinical.patients import Patients
from mammography.apis.clinical.settings import Settings
from mammography.apis.config import UsageError


@dataclass(frozen=True)
class Design:
    """The tables of each mode.

    Attributes:
        settings: What was asked for.
        clinical: Clinical variables.
        images: What images say.
        patients: Those that take part, sorted.
    """

    settings: Settings
    clinical: Patients | None
    images: ImageTable | None
    patients: Sequence[str]

    def kinds(self, mode: str) -> ColumnKinds:
        """Return the columns that a mode is given."""
        image = self.images.columns if self.images and "mammo" in mode else ()
        return replace(self._clinical_kinds(mode), image=image)

    def table(self, mode: str, outer: int) -> pd.DataFrame:
        """Return the rows that an outer fold may see."""
        parts = []
        if "clinical" in mode:
            parts.append(self._variables())
        if self.images and "mammo" in mode:
            parts.append(self.images.table_of(outer).loc[list(self.patients)])
        return to_model_table(pd.concat(parts, axis=1), self.kinds(mode))

    def facts(self) -> list[str]:
        """Return what goes into the models, in words."""
        facts = []
        if any("clinical" in mode for mode in self.settings.modes):
            kinds = self._clinical_kinds("clinical")
            names = {"numbers": kinds.numeric, "classes": kinds.categorical, "binary": kinds.binary}
            told = [f"{what}: {', '.join(columns)}" for what, columns in names.items() if columns]
            facts.append(f"Clinical variables: {'; '.join(told)}.")
        if self.images:
            columns = self.images.columns
            shown = ", ".join(columns[:8]) + (", ..." if len(columns) > 8 else "")
            facts.append(
                f"From images, {len(columns)} columns ({shown}): {'; '.join(self.images.told)}."
            )
        return facts

    def _clinical_kinds(self, mode: str) -> ColumnKinds:
        if "clinical" not in mode:
            return ColumnKinds()
        told = self.settings
        return read_kinds(
            self._variables(),
            numeric=told.numeric,
            categorical=told.categorical,
            binary=told.binary,
        )

    def _variables(self) -> pd.DataFrame:
        table = self.clinical.table if self.clinical else pd.DataFrame()
        chosen = [*self.settings.columns, *self.settings.exclude]
        if absent := [name for name in chosen if name not in table]:
            raise UsageError(
                "--columns, --exclude: must name clinical variables "
                f"({', '.join(names_of(table))}), got {absent[0]}"
            )
        wanted = [*self.settings.columns] or names_of(table)
        kept = [name for name in wanted if name not in self.settings.exclude]
        if not kept:
            raise UsageError("--mode clinical needs a clinical variable, got none")
        return table.loc[list(self.patients), kept]
