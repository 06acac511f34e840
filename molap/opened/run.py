"""A run on disk: tables as pandas frames, settings, provenance, and networks by kind, task and seed.

Opening it reads `configuration.json` and checks which files exist. Tables, arrays, JAX and MLflow are loaded when
something asks for them.
"""

import functools
import numbers
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molap.config.base import ConfigError, shown
from molap.config.run import RunConfig
from molap.jobs.surroundings import refuse_unusable_device
from molap.opened.columns import about
from molap.planning.contents import blocks, fitted_sources, kinds, labels, perturbed_kinds, perturbed_tasks
from molap.planning.outputs import path
from molap.planning.plan import Plan
from molap.planning.tables import TABLES, wanted_tables
from molap.storage.files import FileDamaged, load_arrays, read_json, read_table
from molap.storage.paths import RESULTS, block_seeds

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from molap.opened.network import Network
    from molap.opened.trials import Trials
    from molap.primitives.variates import Primitives


class Run:
    """A run on disk. Its tables are attributes: `run.performance`, `run.robustness`, …; `run.tables` lists them."""

    def __init__(self, folder: Path, config: RunConfig) -> None:
        self.folder, self.config = folder, config

    @functools.cached_property
    def _plan(self) -> Plan:
        return Plan(self.config)

    @property
    def name(self) -> str:
        """The run's name in its configuration."""
        return self.config.name

    @property
    def settings(self) -> dict[str, Any]:
        """Every setting of the run, defaults included, by section; `config/README.md` documents the keys."""
        return self.config.model_dump(mode="json", exclude={"tracking"})

    @property
    def tasks(self) -> dict[str, str]:
        """The tasks, name → label (T1 …)."""
        return labels(self.config)

    @property
    def kinds(self) -> list[str]:
        """The kinds of networks, `separate`, `molap-cca`, …, `dni-rule`."""
        return kinds(self.config)

    @property
    def blocks(self) -> list[str]:
        """The blocks of network seeds that were trained together, as folders are named."""
        return blocks(self.config)

    @property
    def seeds(self) -> list[int]:
        """The network seeds."""
        return [seed for block in blocks(self.config) for seed in block_seeds(block)]

    @property
    def tables(self) -> list[str]:
        """The tables that the run has."""
        return [name for name in TABLES if self.has(path(name, self.name))]

    @property
    def missing(self) -> list[str]:
        """The tables that a finished run has and this one lacks."""
        return [name for name in wanted_tables(self.config) if name not in self.tables]

    def __repr__(self) -> str:
        seeds = f"{len(self.seeds)} network seed{'s' * (len(self.seeds) > 1)}"
        parts = (", ".join(self.kinds), ", ".join(self.tasks), seeds, f"tables {', '.join(self.tables)}")
        return f"Run({self.folder}: {'; '.join(parts)})"

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.tables]

    def __getattr__(self, name: str) -> "pd.DataFrame":
        if name in TABLES:
            return self.table(name)
        raise AttributeError(f"a run has no {name!r}; its tables are {', '.join(self.tables)}")

    def table(self, name: str) -> "pd.DataFrame":
        """Return a table as a new frame, with `frame.attrs["columns"]`: column → (unit, meaning).

        Raises:
            ConfigError: in one line, if the run has no such table, or it is damaged.
        """
        if not isinstance(name, str) or name not in self.tables:
            why = (
                "it is not finished"
                if isinstance(name, str) and name in self.missing
                else "its configuration makes none"
            )
            has = ", ".join(self.tables) or "none"
            raise ConfigError(f"{self.folder} has no table {shown(name)} ({why}); it has {has}")
        try:
            # `-` and `none` are names of sources, not missing values.
            found = read_table(self._file(path(name, self.name)), keep_default_na=False, na_values=[""])
        except FileDamaged as error:
            raise ConfigError(str(error)) from None
        return _described(found, {column: about(column) for column in found if _is_known(column)})

    def columns(self, name: str) -> "pd.DataFrame":
        """Return what the columns of a table mean: column, unit, meaning."""
        import pandas as pd

        described = self.table(name).attrs["columns"]
        return pd.DataFrame([(column, *of) for column, of in described.items()], columns=["column", "unit", "meaning"])

    @property
    def cells(self) -> "pd.DataFrame":
        """Every perturbed network of the sweeps, one row per network, perturbation, strength and draw."""
        import pandas as pd

        at = [
            (block, kind, task)
            for kind in perturbed_kinds(self.config)
            for task in perturbed_tasks(self.config)
            for block in blocks(self.config)
        ]
        files = [self._file(path("perturbation", self.name, block=b, kind=k, task=t)) for b, k, t in at]
        if not files or not all(file.is_file() for file in files):
            raise ConfigError(f"{self.folder} has no finished sweeps of perturbed networks")
        return pd.concat([read_table(file, keep_default_na=False, na_values=[""]) for file in files], ignore_index=True)

    @functools.cached_property
    def provenance(self) -> "pd.DataFrame":
        """A row per job, from the records, with its output, stage, times (s), memory (MB), machine and versions."""
        import pandas as pd

        from molap.storage.found import RECORD, find_records

        rows = []
        for found in find_records(self.folder):
            if found.file.name.endswith(RECORD):
                record = read_json(found.file)
                times = {name: record.get("time", {}).get(name) for name in _TIMES}
                about = {"job": found.job, "stage": record.get("stage"), "code": record.get("code")}
                rows.append(about | times | record.get("versions", {}) | record.get("machine", {}))
        return pd.DataFrame(rows)

    def trials(self, task: str, stream: str = "test") -> "Trials":
        """Return the test trials of a task, or the `validation` trials.

        Raises:
            ConfigError: if the run has none.
        """
        from molap.opened.assembling import trials_of

        self._check("task", task, list(self.tasks))
        outputs = {"test": "testset", "validation": "validation"}
        self._check("stream", stream, list(outputs))
        return trials_of(self.config, task, self.arrays(path(outputs[stream], self.name, task=task)))

    def primitives(self, source: str = "cca") -> "Primitives":
        """Return the fit of a source to the corpus: weights, ranges, correlations of every component."""
        from molap.primitives.variates import Primitives

        self._check("source", source, fitted_sources(self.config))
        return Primitives.from_flat(self.arrays(path("primitives", self.name, source=source)))

    def network(self, kind: str, task: str, seed: int | None = None) -> "Network":
        """Return a trained network; of a network for all tasks, the part that the task sees after the whole sequence.

        Args:
            kind: `separate`, `molap-cca`, `dni-rule`, … (`run.kinds`).
            task: the task (`run.tasks`).
            seed: the network seed (`run.seeds`); the first by default.

        Raises:
            ConfigError: in one line, if there is no such network, or its file is missing or damaged.
        """
        from molap.opened.assembling import network_of

        refuse_unusable_device()
        seed = self.seeds[0] if seed is None else seed
        self._check("kind", kind, self.kinds)
        self._check("task", task, list(self.tasks))
        if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
            raise ConfigError(f"seed: {shown(seed)} is not allowed; give a whole number")
        self._check("seed", seed, self.seeds)
        block = next(one for one in blocks(self.config) if seed in block_seeds(one))
        arrays = self.arrays(self._plan.network(self.name, block, kind, task))
        return network_of(self._plan, (block, kind, task), seed, arrays, functools.partial(self.trials, task))

    def has(self, file: str) -> bool:
        """Return whether an output exists, by its path in the workflow."""
        return self._file(file).is_file()

    def arrays(self, file: str) -> dict[str, "np.ndarray"]:
        """Return the arrays of an output by its path in the workflow, such as `results/NAME/corpus/corpus.npz`."""
        try:
            return load_arrays(self._file(file))
        except FileNotFoundError:
            raise ConfigError(f"{self._file(file)} is missing; the run is not finished") from None
        except FileDamaged as error:
            raise ConfigError(str(error)) from None

    def _file(self, planned: str) -> Path:
        """Return where an output is now, since the folder may have been moved or renamed."""
        return self.folder / planned.removeprefix(f"{RESULTS}/{self.name}/")

    def _check(self, field: str, value: object, allowed: list) -> None:
        if not isinstance(value, str | numbers.Integral) or value not in allowed:  # arrays are compared item by item
            has = ", ".join(map(str, allowed))
            raise ConfigError(f"{field}: {shown(value)} is not allowed; {self.folder} has {has}")


_TIMES = ("start", "end", "wall_s", "cpu_s", "peak_memory_mb")


def _is_known(column: str) -> bool:
    try:
        about(column)
    except KeyError:
        return False
    return True


def _described(frame: "pd.DataFrame", columns: dict[str, tuple[str, str]]) -> "pd.DataFrame":
    frame.attrs["columns"] = columns
    return frame
