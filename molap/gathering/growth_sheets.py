"""Write the tables of the page on generalisation, sample efficiency and the number of modules, as Markdown."""

from typing import Any

from molap.analysis.failures import failed
from molap.gathering.phrases import Share, effect, power
from molap.gathering.sheets import NAMES, Sheets, markdown
from molap.gathering.statements import SEED
from molap.report.article.words import number, whole


class GrowthSheets(Sheets):
    """Tables of what grows: the tasks of a corpus, the steps of training, the number of modules."""

    def left_out(self) -> str:
        """Write outputs correct with tasks left out and with all in the corpus, mean over the same networks."""
        ev = self.evidence
        seeds = [int(seed) for seed in ev.rows("generalisation", source="cca", n_left_out=1).get(SEED, ())]

        def cell(label: str | None, **values: Any) -> str:
            rows = ev.rows("generalisation", label=label, network_seed=seeds or None, **values)
            return number(effect(rows.groupby(SEED).accuracy.mean()).mean) if len(rows) else "–"

        cases: dict[str, dict[str, Any]] = {
            "CCA: all tasks": {"source": "cca", "n_left_out": 0},
            "CCA: one": {"source": "cca", "n_left_out": 1, "place": 1},
            "CCA: first": {"source": "cca", "n_left_out": 2, "place": 1},
            "CCA: second": {"source": "cca", "n_left_out": 2, "place": 2},
            "PCA: all tasks": {"source": "pca", "n_left_out": 0},
            "random reservoir": {"source": "none", "n_left_out": 0},
        }
        constant = ev.constant()
        rows = [
            (label, *(cell(label, **case) for case in cases.values()), number(constant[label])) for label in ev.labels
        ]
        rows.append(("mean", *(cell(None, **case) for case in cases.values()), number(constant.mean())))
        return markdown(("task", *cases, "best constant"), rows)

    def lost(self, name: str, folder: str, **values: Any) -> Share:
        """Return how many rows of a table are of failed networks."""
        rows = self.evidence.rows(name, folder, **values)
        return Share(int(failed(rows).sum()), len(rows)) if len(rows) else Share()

    def learning(self) -> str:
        """Write accuracy at the checkpoints of training, mean over tasks and networks, by kind."""
        ev = self.evidence
        by = {
            kind: ev.rows("learning", folder, kind=kind).groupby("step").accuracy.mean()
            for kind, folder in self.places("learning").items()
        }
        steps = sorted({step for of in by.values() for step in of.index})
        rows = [(int(step), *(number(of[step]) if step in of.index else "" for of in by.values())) for step in steps]
        return markdown(("steps", *(NAMES[kind] for kind in by)), rows)

    def updates(self) -> dict[str, float]:
        """Return how many updates of weights the networks of one seed take for all tasks, by kind."""
        found = {}
        for kind in self.kinds("learning"):
            last = self.evidence.rows("learning", kind=kind).sort_values("step").groupby([SEED, "task"]).tail(1)
            by = last.groupby(SEED)
            found[kind] = float((by.updates.sum() + by.updates_before.max()).mean())
        return found

    def scaling(self) -> str:
        """Write trained weights and updates by strategy for the fewest and most tasks, and with the most units."""
        table = self.evidence.table("scaling", "once")
        few, many, most, usual = self.sizes().values()
        rows = []
        for strategy in table.strategy.unique():
            at = table[table.strategy == strategy].set_index(["n_tasks", "n_units"])
            cells = [whole(at.trained[n, usual]) for n in (few, many)]
            cells += [power(at.updates[n, units], 2) for n, units in ((few, usual), (many, usual), (many, most))]
            rows.append(("random reservoir" if strategy == "none" else strategy, *cells))
        head = ["strategy", *(f"trained, tasks: {n}" for n in (few, many))]
        head += [f"updates, tasks: {n}, N = {units}" for n, units in ((few, usual), (many, usual), (many, most))]
        return markdown(head, rows)

    def sizes(self) -> dict[str, int]:
        """Return the ends of the table of scaling: fewest and most tasks, usual and most units."""
        table = self.evidence.table("scaling", "once")
        usual = int(self.evidence.made_with["network"]["n_units"])
        ends = {"few": table.n_tasks.min(), "many": table.n_tasks.max(), "most": table.n_units.max()}
        return {name: int(n) for name, n in ends.items()} | {"usual": usual}

    def fewer(self, strategy: str, n_tasks: int, n_units: int) -> float:
        """Return how many times as many updates separate networks take as a strategy."""
        rows = self.evidence.rows("scaling", "once", n_tasks=n_tasks, n_units=n_units).set_index("strategy").updates
        return float(rows["separate"] / rows[strategy])

    def variance(self, most: int = 4) -> str:
        """Write how much of the targets' variance the first r components explain, in percent."""
        ev = self.evidence
        rows = [
            (source.upper(), *(number(ev.explained(source, n)) for n in range(1, most + 1)))
            for source in ("cca", "pca")
        ]
        return markdown(("source", *(f"r = {n}" for n in range(1, most + 1))), rows)

    def modules(self) -> str:
        """Write accuracy, counts and updates of single networks with other numbers of modules."""
        table = self.evidence.table("modules", "once")
        rows = []
        for (fixed, n, units), of in table.groupby(["fixed", "n_modules", "n_units"], sort=False):
            cca, none = (of[of.source == source] for source in ("cca", "none"))
            first = cca.iloc[0]
            rows.append(
                (
                    fixed,
                    n,
                    units,
                    *(number(value) for part in (cca, none) for value in (part.accuracy.mean(), part.accuracy.min())),
                    *map(whole, (first.weights, first.trained, first.trained_per_task)),
                    number(first.updates / 1e6),
                    number(none.iloc[0].updates / 1e6),
                )
            )
        rows.sort(key=lambda row: (row[0] != "network", row[1]))
        head = ("fixed", "r", "N", "CCA: mean", "lowest", "random reservoir: mean", "lowest", "weights", "trained, CCA")
        return markdown((*head, "per task", "updates, CCA (millions)", "random reservoir (millions)"), rows)

    def modules_by_network(self) -> str:
        """Write the mean over tasks with other numbers of modules: over networks, of the lowest, of the highest."""
        table = self.evidence.table("modules")
        rows = []
        for (fixed, n, units), of in table.groupby(["fixed", "n_modules", "n_units"]):
            cells = []
            for source in ("cca", "none"):
                by = of[of.source == source].groupby(SEED).accuracy.mean()
                cells += [number(by.mean()), f"{number(by.min())} to {number(by.max())}"] if len(by) else ["–", "–"]
            rows.append((fixed, n, units, *cells))
        head = ("fixed", "r", "N", "CCA: mean", "networks", "random reservoir: mean", "networks")
        return markdown(head, rows)
