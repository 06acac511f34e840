"""Collect the article's content (numbers as text, tables and captions) in one structure for `text/article.typ`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from molap.analysis.intervals import CONFIDENCE
from molap.config.tasks import TASK_NAMES
from molap.report.article import decisions, methods, origin, results, scope
from molap.report.article.words import breakable, count, listed, runs_of, setting
from molap.storage.paths import NO_SWITCH
from molap.tasks.task import Task

SECTIONS = {
    "fig1c": "weights",
    "fig_scaling": "weights",
    "fig2": "performance",
    "fig_learning": "performance",
    "fig_dni": "sequence",
    "fig_baselines": "sequence",
    "fig3": "robustness",
    "fig4": "robustness",
    "fig_relative": "robustness",
    "fig_areas": "robustness",
    "fig_matched": "robustness",
    "fig5": "generalisation",
    "fig_modules": "modules",
    "fig_attribution": "attribution",
    **{f"figS{i}": "supplement" for i in range(1, 6)},
}
"""Figure → the section that shows it; all others are at the end."""
OF_TABLES: dict[str, Callable[[pd.DataFrame], dict]] = {
    "performance": results.performance,
    "table1": results.weights,
    "components": results.components,
    "forgetting": results.forgetting,
    "areas": results.robustness,
    "generalisation": results.generalisation,
    "modules": results.modules,
    "baselines": results.baselines,
    "attribution": lambda table: results.attribution(table, NO_SWITCH),
}
"""Table → the function that computes its numbers. If the run lacks a table, the article leaves out its section."""
CALLED = {"table1": "weights"}
"""Table → its name in the text, which cannot have digits."""


def contents(
    values: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    records: Sequence[dict],
    tasks: Sequence[Task],
    captions: Sequence[Sequence[str]],
    shown: Mapping[str, str],
) -> dict[str, Any]:
    """Return the structure.

    Args:
        values: the configuration, as in `configuration.json`.
        tables: the run's tables by name, `claims` among them.
        records: the records of all jobs behind tables and figures.
        tasks: the run's tasks.
        captions: for each figure, its name, title and caption in reStructuredText.
        shown: paths of tables and figures, by name.
    """
    rows = tables["performance"]
    kinds = list(dict.fromkeys(_kind(*pair) for pair in zip(rows.strategy, rows.source, strict=True)))
    verdicts = results.verdicts(tables["claims"])
    n_seeds = values["seeds"]["networks"]
    networks = f"{count(len(kinds), 'kind')} of network, with {count(n_seeds, 'network seed')} each"
    found = {CALLED.get(name, name): work(tables[name]) for name, work in OF_TABLES.items() if name in tables}
    return found | {
        **_head(values, len(tasks), n_seeds),
        "seeds": {"several": n_seeds > 1, "networks": networks},
        "confidence": f"{100 * CONFIDENCE:g}",
        "shared": listed(kind for kind in kinds if kind.partition("-")[0] in ("dni", "sequential", "joint")),
        "fitted": listed(source.upper() for source in values["primitives"]["sources"] if source in ("cca", "pca")),
        "tasks": {
            "n": count(len(tasks), "task"),
            "table": methods.tasks_table(tasks),
            "of": methods.families(values["tasks"]["names"]),
            "own": listed(breakable(task.name) for task in tasks if task.name not in TASK_NAMES),
        },
        "decisions": decisions.decisions(tasks, values["evaluation"]["n_trials"]),
        "phases": methods.phases_table(values, kinds),
        "perturbations": methods.perturbations_table(values),
        "readings": methods.readings_table(values),
        "departures": methods.departures_table(values),
        "values": {
            key: setting(value) if not isinstance(value, dict) else {name: setting(of) for name, of in value.items()}
            for key, value in values.items()
        },
        "claims": verdicts | {"whose": "its own claims" if values["claims"]["file"] else "the paper's claims"},
        "failures": results.failures(rows),
        "not_run": scope.not_run(values, shown, kinds, verdicts["not_run"]),
        "cost": origin.cost(records),
        "provenance": origin.provenance(values, records, shown),
        "figures": [_figure(*caption) for caption in captions],
    }


def _kind(strategy: str, source: str) -> str:
    return strategy if source == "-" else f"{strategy}-{source}"


def _head(values: Mapping, n_tasks: int, n_seeds: int) -> dict[str, str]:
    title = "Efficient and robust multi-task learning in the brain with modular latent primitives"
    name = breakable(values["name"])
    return {
        "title": f"[Re] {title}",
        "short": "[Re] Modular latent primitives",
        "authors": "The MoLaP replication",
        "run_title": f"run {name}",
        "subtitle": f"Run “{name}”: {count(n_tasks, 'task')}, {count(n_seeds, 'network seed')}. "
        "Every number comes from this run's tables, configuration or records.",
    }


def _figure(name: str, title: str, caption: str) -> dict[str, Any]:
    of_paper = title.partition(":")[0] if title.startswith("Fig ") else ""
    text = f"{caption} It corresponds to the paper's {of_paper}." if of_paper else caption
    return {
        "name": name,
        "title": title,
        "file": f"{name}.pdf",
        "section": SECTIONS.get(name, "further"),
        "caption": runs_of(text),
    }
