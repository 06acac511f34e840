"""Compute the numbers in the results from a run's tables."""

from collections.abc import Mapping

import pandas as pd

from molap.analysis.failures import failed
from molap.claims.page import overview
from molap.claims.verdicts import EQUAL, FAILS, HOLDS, NOT_RUN, ONE, OPEN, interval
from molap.figures.style import kind_name
from molap.report.article.words import (
    MINUS,
    count,
    listed,
    number,
    over_networks,
    ranges,
    table_of,
    whole,
    with_half_width,
    with_interval,
)

Tables = Mapping[str, pd.DataFrame]
KIND = ["strategy", "source"]
PRIMITIVES = 4
"""Number of primitives that the table shows: one more than the most modules in the paper."""
VERDICTS = {
    HOLDS: ("Hold", "holds", "hold"),
    FAILS: ("Do not hold", "does not hold", "do not hold"),
    EQUAL: ("Practically equal", "finds no difference that matters", "find no difference that matters"),
    OPEN: ("Undecided", "is undecided", "are undecided"),
    ONE: ("One network only", "has one network and no verdict", "have one network and no verdict"),
    NOT_RUN: ("Not run", "was not run", "were not run"),
}
"""Verdict → how a list of such claims begins, and the words for one claim and for several."""


def of_kinds(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Return the name and rows of every kind of network, in the table's order."""
    return [(kind_name(*map(str, kind)), rows) for kind, rows in table.groupby(KIND, sort=False)]


def _rows(table: pd.DataFrame, source: str) -> pd.DataFrame:
    return table[(table.strategy == "molap") & (table.source == source)]


def verdicts(claims: pd.DataFrame) -> dict:
    """Return the table of verdicts and, for each verdict, which claims have it and how many."""
    claims = claims.fillna({"figures": ""})
    rows = [
        (says, verdict, decides, effect.replace("-", MINUS), n)
        for says, verdict, *_, decides, effect, n in overview(claims)
    ]
    columns = ("claim", "verdict", "what decides", "effect (interval)", "networks")
    of = {verdict: claims.claim[claims.verdict == verdict].tolist() for verdict in VERDICTS}
    counts = [
        f"{len(found)} {VERDICTS[verdict][1 if len(found) == 1 else 2]}" for verdict, found in of.items() if found
    ]
    return {
        "table": table_of(columns, rows, left=4, wide=(0, 2)),
        "n": count(len(claims), "claim"),
        "counts": listed(counts),
        "lists": [f"{VERDICTS[verdict][0]}: {ranges(found)}." for verdict, found in of.items() if found],
        "not_run": ranges(of[NOT_RUN]),
    }


def performance(table: pd.DataFrame) -> dict:
    """Return accuracy by task and kind, its mean over tasks, and what pre-training adds."""
    kinds, tasks = of_kinds(table), table.drop_duplicates("task")
    rows = []
    for task in tasks.itertuples():
        cells = [with_half_width(over_networks(rows[rows.task == task.task], "accuracy")) for _, rows in kinds]
        rows.append((task.label, number(task.best_constant), *cells))
    means = [with_half_width(over_networks(of, "accuracy")) for _, of in kinds]
    rows.append(("mean", number(tasks.best_constant.mean()), *means))
    head = ("task", "constant", *(name for name, _ in kinds))
    found = {
        "table": table_of(head, rows) | {"strong": [len(rows) - 1]},
        "kinds": [
            f"{name}: {with_interval(over_networks(of, 'accuracy'))} % of outputs correct, "
            f"{with_interval(over_networks(of, 'decision_accuracy'))} % of decisions"
            for name, of in kinds
        ],
        "constant": f"{number(table.best_constant.min())} to {number(table.best_constant.max())}",
    }
    cca, none = _rows(table, "cca"), _rows(table, "none")
    for name, of in (("cca", cca), ("none", none)):
        found[name] = with_interval(over_networks(of, "accuracy")) if len(of) else ""
    found["pretraining"] = ""
    if len(cca) and len(none):
        keys = ["network_seed", "task"]
        paired = cca.set_index(keys).accuracy - none.set_index(keys).accuracy
        found["pretraining"] = with_interval(interval(paired.dropna().groupby("network_seed").mean().to_numpy()))
    return found


def failures(table: pd.DataFrame) -> dict:
    """Return the table of networks that end below the best constant output, by task and kind."""
    table = table.assign(failed=failed(table))
    kinds = of_kinds(table)
    rows, cell = [], lambda of: f"{of.failed.sum()} of {len(of)}" if len(of) else "–"
    for task in table.drop_duplicates("task").itertuples():
        if table.failed[table.task == task.task].any():
            rows.append((task.label, *(cell(of[of.task == task.task]) for _, of in kinds)))
    free = table.task.nunique() - len(rows)
    rows.append(("all tasks", *(cell(of) for _, of in kinds)))
    return {
        "table": table_of(("task", *(name for name, _ in kinds)), rows) | {"strong": [len(rows) - 1]},
        "n": whole(table.failed.sum()),
        "of": whole(len(table)),
        "any": bool(table.failed.any()),
        "by_kind": "; ".join(f"{name}: {cell(of)}" for name, of in kinds),
        "free": count(free, "task") if free else "",
    }


def weights(table: pd.DataFrame) -> dict:
    """Return the counts of weights as printed, corrected and counted, and the factors between them."""
    versions = ("printed", "corrected", "counted")
    names = {"separate": "separate networks", "dni": "DNI", "molap": "MoLaP", "none": "random reservoir"}
    at = table.set_index(["version", "strategy"])
    rows = []
    for strategy, name in names.items():
        if strategy in set(table.strategy[table.version.isin(versions)]):
            cells = [
                whole(at.loc[(version, strategy), column]) if (version, strategy) in at.index else "–"
                for column in ("overall", "trained", "trained_per_task")
                for version in versions
            ]
            rows.append((name, *cells))
    head = ("", *(f"{what}, {version}" for what in ("in all", "trained", "per task") for version in versions))
    factors = {
        version: whole(at.loc[(version, "molap"), "separate_per_trained"])
        for version in versions
        if (version, "molap") in at.index and pd.notna(at.loc[(version, "molap"), "separate_per_trained"])
    }
    return {"table": table_of(head, rows)} | {version: factors.get(version, "") for version in versions}


def components(table: pd.DataFrame) -> dict:
    """Return canonical correlations and explained variance, by source and number of primitives."""
    shown = table[table.component <= PRIMITIVES]
    rows = [
        (str(row.source).upper(), row.component, number(row.correlation, 4), number(100 * row.target_r2))
        for row in shown.itertuples()
    ]
    return {"table": table_of(("fit", "primitives", "correlation", "variance, %"), rows)}


def forgetting(table: pd.DataFrame) -> dict:
    """Return accuracy right after each task and at the end of the sequence, by kind."""
    columns = ("accuracy_right_after", "accuracy_average", "accuracy_forgetting")
    rows = [(name, *(with_half_width(over_networks(of, column)) for column in columns)) for name, of in of_kinds(table)]
    said = [f"{name}: {after} % right after, {end} % at the end" for name, after, end, _ in rows]
    return {"table": table_of(("network", "right after", "at the end", "forgotten"), rows), "said": "; ".join(said)}


def robustness(areas: pd.DataFrame) -> dict:
    """Return the areas under the curves, averaged over tasks, and the kinds that have the largest."""
    single = areas[areas.task != "all"]
    kinds = [name for name, _ in of_kinds(single)]
    rows, best = [], []
    for perturbation, group in single.groupby("perturbation", sort=False):
        found = {name: over_networks(of, "area") for name, of in of_kinds(group)}
        rows.append((perturbation, *(with_half_width(found[name]) if name in found else "–" for name in kinds)))
        largest = max(found, key=lambda name: found[name].mean)
        best.append((largest, str(perturbation)))
    names = dict.fromkeys(name for name, _ in best)
    most = [f"{name} ({', '.join(of for at, of in best if at == name)})" for name in names]
    return {"table": table_of(("perturbation", *kinds), rows), "largest": listed(most), "n": str(len(rows))}


def generalisation(table: pd.DataFrame) -> dict:
    """Return the cost of leaving tasks out of the corpus, by source and number of tasks left out."""
    left_out = table[(table.n_left_out > 0) & (table.place == 1)]
    rows = []
    for (source, n), of in left_out.groupby(["source", "n_left_out"], sort=False):
        cells = [_paired(of, column) for column in ("difference", "to_none", "to_pca")]
        rows.append((str(source).upper(), n, of.task.nunique(), with_half_width(over_networks(of, "accuracy")), *cells))
    head = ("fit", "left out", "tasks", "accuracy", "− included", "− reservoir", "− PCA, included")
    cca = left_out[(left_out.source == "cca") & (left_out.n_left_out == left_out.n_left_out.min())]
    return {
        "table": table_of(head, rows),
        "kept": bool((left_out.n_absent == 0).any()),
        "included": with_interval(over_networks(cca, "difference")) if len(cca) else "",
        "reservoir": with_interval(over_networks(cca, "to_none")) if cca.to_none.notna().any() else "",
    }


def _paired(of: pd.DataFrame, column: str) -> str:
    return with_half_width(over_networks(of.dropna(subset=[column]), column)) if of[column].notna().any() else "–"


def modules(table: pd.DataFrame) -> dict:
    """Return accuracy by number of modules and by what is held fixed."""
    rows = []
    for (fixed, n, units, source), of in table.groupby(["fixed", "n_modules", "n_units", "source"], sort=False):
        explained = number(of.explained_variance.iloc[0])
        accuracy = with_half_width(over_networks(of, "accuracy"))
        rows.append((kind_name("molap", str(source)), fixed, n, units, accuracy, explained, whole(of.updates.iloc[0])))
    head = ("network", "held fixed", "modules", "units", "accuracy", "variance, %", "updates")
    return {"table": table_of(head, rows, left=2)}


def baselines(table: pd.DataFrame) -> dict:
    """Return the accuracy of the networks that DNI is compared with."""
    rows = [
        (name, with_half_width(over_networks(of, "accuracy")), f"{failed(of).sum()} of {len(of)}")
        for name, of in of_kinds(table)
    ]
    return {"table": table_of(("network", "accuracy", "failed"), rows)}


def attribution(table: pd.DataFrame, none: str) -> dict:
    """Return what each switched reading changes: the number of verdicts, and the largest change of an effect."""
    keys = ["claim", "part"]
    before = table[table.switch == none].set_index(keys).verdict
    rows = []
    for switch, of in table[table.switch != none].groupby("switch", sort=False):
        of = of.set_index(keys)
        moved = (of.verdict != before.reindex(of.index)) & of["mean"].notna()
        if of.change.notna().any():
            largest = of.loc[of.change.abs().idxmax()]
            claim, part = largest.name
            change, where = number(largest.change), f"claim {claim}: {part}"
        else:
            change, where = "–", "–"
        rows.append((switch, len(of), int(moved.sum()), change, where, whole(of.n_seeds.max())))
    head = ("switched", "effects", "verdicts that change", "largest change", "of", "networks")
    found = table_of(head, rows, wide=(4,))
    found["align"][4] = "left"
    return {"table": found, "n": count(len(rows), "reading"), "claims": ranges(sorted(set(table.claim.astype(int))))}
