"""Map each stage to the method that finds its inputs; find the report's inputs, which come from all other stages."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

from molap.claims.model import TABLES as JUDGED
from molap.planning.article import STUDIES
from molap.planning.contents import curve_figures
from molap.planning.figures import FIGURES, wanted_figures
from molap.planning.inputs import Inputs
from molap.planning.outputs import baselines_run
from molap.planning.plan import Plan
from molap.planning.rows import Files, Reads, tables
from molap.planning.tables import TABLES, paged_tables, wanted_tables
from molap.storage.files import record_path


class StageInputs(Inputs):
    """The inputs of every stage by its name, including those of the report."""

    def __init__(
        self,
        plan: Plan,
        at_first: Callable[[], object] = lambda: None,
        targets: Callable[[], Collection[str]] = lambda: (),
    ) -> None:
        """Take the plan, and functions for what is known once Snakemake asks for inputs.

        Args:
            plan: the plan.
            at_first: called when Snakemake first asks: its settings are complete then.
            targets: returns the targets that the user named.
        """
        super().__init__(plan)
        self._waiting, self._targets = [at_first], targets

    def of(self, stage: str) -> Callable[[Any], Files]:
        """Return the function that finds a stage's inputs from its wildcards."""
        reads = READS[stage]

        def find(wildcards: Any) -> Files:
            while self._waiting:
                self._waiting.pop()()
            return reads(self, wildcards)

        return find

    def judged(self, w: Any) -> Files:
        """Return the tables that the claims are about, as far as the configuration makes them."""
        found = self.tables(w, [name for name in JUDGED if name in wanted_tables(self._config)])
        return found | (self.tables(w, ["modules"]) if self._config.claims.modules else {})

    def verdicts_and_figures(self, w: Any) -> Files:
        """Return the tables of verdicts, and the figures that show them."""
        figures = [*wanted_figures(self._config), *(["fig_modules"] if self._config.claims.modules else [])]
        found = {name: self._plan.path(name, w.run) for name in figures}
        return found | {"claims": self._plan.path("claims", w.run), "parts": self._plan.path("claim_parts", w.run)}

    def tables_and_configuration(self, w: Any) -> Files:
        """Return the tables that the report shows as pages, and the configuration."""
        return self.tables(w, paged_tables(self._config)) | {"configuration": self._plan.path("configuration", w.run)}

    def whole_report(self, w: Any) -> Files:
        """Return all tables and figures of the default target, the configuration, and the records behind them.

        The records are those of all jobs that led to these files; their names are `record/…`.
        """
        return self._with_records(self._tables_and_figures(w))

    def article(self, w: Any) -> Files:
        """Return the same with figures as PDF, the verdicts, and the studies that were run or are targets, too."""
        found = self._tables_and_figures(w) | self._studies(w) | self.tables(w, ["claims"])
        drawn = {name: f"{file.removesuffix('png')}pdf" for name, file in found.items() if file.endswith(".png")}
        return self._with_records(found | drawn)

    def _tables_and_figures(self, w: Any) -> Files:
        names = [*wanted_tables(self._config), *wanted_figures(self._config)]
        names += ["modules", "fig_modules"] if self._config.claims.modules else []
        found = {name: self._plan.path(name, w.run) for name in names}
        for figure in curve_figures(self._config):
            found[figure] = self._plan.path("fig_curves", w.run, figure=figure)
        return found | {"configuration": self._plan.path("configuration", w.run)}

    def _studies(self, w: Any) -> Files:
        """Return table and figure of each study whose target the user named, or whose table exists."""
        found: Files = {}
        for study, (table, figure) in STUDIES.items():
            run = baselines_run(w.run) if study == "baselines" else w.run
            file = self._plan.path(table, run)
            if study in self._targets() or Path(file).is_file():
                found[study] = file
                if study != "baselines" or self.in_turn():
                    found[figure] = self._plan.path(figure, w.run)
        return found

    def _with_records(self, files: Files) -> Files:
        records = sorted(self._records_behind(files.values()))
        return files | {f"record/{i}": record for i, record in enumerate(records)}

    def _records_behind(self, files: Iterable[str]) -> set[str]:
        """Return the records of the jobs that make these files, and of all jobs before them."""
        found, left = set(), {record_path(file) for file in files}
        while left:
            found |= left
            places = [self._plan.places[record] for record in left]
            read = (file for stage, wildcards in places for file in self.of(stage)(wildcards).values())
            left = {record_path(file.replace(".checkpoints.", ".")) for file in read} & self._plan.places.keys() - found
        return found


READS: dict[str, Reads] = {
    "configuration": tables(),
    "corpus": tables(),
    "testset": tables(),
    "validation": tables(),
    "primitives": Inputs.corpus,
    "reservoir": tables(),
    "own_network": Inputs.own_file,
    "module": Inputs.network_before,
    "head": Inputs.pretrained,
    "separate": tables(),
    "sequence": Inputs.before_in_sequence,
    "joint": tables(),
    "evaluation": Inputs.network_and_testset,
    "example": Inputs.network_and_testset,
    "lesioned": Inputs.network_and_testset,
    "perturbation": Inputs.network_and_testset,
    "scores": Inputs.sequence_and_testsets,
    "learned": Inputs.networks_and_validation,
    "plateau": Inputs.checkpoints_and_validation,
    "claims": StageInputs.judged,
    "claims_page": StageInputs.verdicts_and_figures,
    "pages": StageInputs.tables_and_configuration,
    "provenance": StageInputs.whole_report,
    "article": StageInputs.article,
    "search_modules": Inputs.primitives,
    "search": Inputs.searched,
    "search_sequence": Inputs.validation_of_search,
    "tune_table": Inputs.search_tables,
}
"""The function that finds each stage's inputs; for tables and figures their rows give it."""
READS |= {name: row.reads for name, row in (TABLES | FIGURES).items()}
