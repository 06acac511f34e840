"""Say how the networks behind the tables were made: their sizes, their steps, and whether before the search."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from molap.config.attribution import BEFORE
from molap.gathering.statements import FOLDERS, Evidence
from molap.report.article.words import listed, number, whole

PHASES = {"heads": "heads", "separate": "separate networks", "dni": "DNI"}
"""Section of the configuration → whose steps it has."""
FORMERLY = "trained as before the search"


class Made:
    """The settings behind the tables.

    `made_with.json` in the folder of the reference holds the settings of all its tables. The one beside the single
    measurements holds the settings of training by table.

    Args:
        evidence: the committed tables.
        settings: the reference's settings; by default, those of its `made_with.json`.
    """

    def __init__(self, evidence: Evidence, settings: Mapping[str, Any] | None = None):
        self.evidence = evidence
        self.settings = evidence.made_with if settings is None else settings

    @cached_property
    def once(self) -> dict[str, Any]:
        """Return the settings of training by single measurement."""
        file = self.evidence.root / FOLDERS["once"] / "made_with.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    @property
    def is_former(self) -> bool:
        """Return whether the reference was trained as before the search."""
        return is_former(self.settings)

    def otherwise(self, *names: str, before: str = ", ") -> str:
        """Return the words for single measurements that were trained as before the search, unlike the reference.

        Args:
            names: tables of single measurements.
            before: what comes before the words, if there are any.
        """
        known = [self.once[name] for name in names if name in self.once]
        return f"{before}{FORMERLY}" if known and all(map(is_former, known)) and not self.is_former else ""

    @property
    def steps(self) -> str:
        """Write the number of steps per task: 2,000 steps per task, or by phase where they differ."""
        by = {said: self.settings[phase]["n_steps"] for phase, said in PHASES.items()}
        if len({*by.values()}) == 1:
            return f"{whole(by['heads'])} steps per task"
        return listed(f"{whole(n)} steps per task for {said}" for said, n in by.items())

    @property
    def units(self) -> str:
        """Write the sizes of the networks: DNI has 200 units, MoLaP and separate networks 100."""
        sizes = {self.settings["network"]["n_units"], self.settings["separate_network"]["n_units"]}
        dni, others = self.settings["dni"]["n_units"], listed(sorted(sizes), "or")
        if sizes == {dni}:
            return f"all networks have {others} units"
        return f"DNI has {dni} units, MoLaP and separate networks {others}"

    @property
    def modules(self) -> str:
        """Write the number of units in a module: 50, or 33.3 if the modules differ."""
        network = self.settings["network"]
        size = network["n_units"] / network["n_modules"]
        return number(size, 0 if size == int(size) else 1)


def is_former(settings: Mapping[str, Any]) -> bool:
    """Return whether networks were trained as before the search; at that time some settings did not exist."""
    return all(
        settings.get(section, {}).get(key, value) == value
        for section, values in BEFORE.items()
        for key, value in values.items()
    )
