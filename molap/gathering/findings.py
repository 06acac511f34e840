"""Print the numbers stated in docs/findings.md from the reference tables: `molap findings`."""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from molap.analysis.failures import failed
from molap.analysis.intervals import half_width
from molap.gathering import seeds
from molap.jobs.command import Refused, run

SEED = "network_seed"
ENDS = ["mean", "low", "high"]
EASY = ["delay_pro", "delay_anti", "mem_pro", "mem_anti"]
EXACT = 1e-6
"""Largest half-width, in points of accuracy, that counts as zero: T1 has 100 in every network."""
KINDS = ["molap cca", "molap pca", "molap none", "separate", "dni rule", "dni norule"]


def read(folder: Path, name: str) -> pd.DataFrame:
    """Return a table of the reference results, with the kind of network in a single column."""
    table = seeds.existing(folder, name)
    strategy = table.get("strategy", pd.Series("molap", table.index))
    return table.assign(kind=(strategy + " " + table.get("source", "")).str.removesuffix(" -"))


def say(title: str, table: pd.DataFrame, digits: int = 1) -> None:
    """Print a table under a title, with kinds in their usual order."""
    if table.index.name == "kind":
        table = table.reindex([kind for kind in KINDS if kind in table.index])
    print(f"\n{title}\n{table.round(digits).to_string()}")


def intervals(values: pd.DataFrame) -> pd.DataFrame:
    """Return, for every column, the mean over network seeds (rows) and its 95 % interval."""
    mean, half = values.mean(), half_width(values.std(), values.count())
    return pd.DataFrame({"mean": mean, "low": mean - half, "high": mean + half, "networks": values.count()})


def pairs(by: pd.DataFrame) -> pd.DataFrame:
    """Return differences between kinds, paired by network seed. The rows of `by` are seeds, its columns kinds."""
    others = [kind for kind in by if kind != "molap cca"]
    return intervals(pd.DataFrame({f"molap cca less {kind}": by["molap cca"] - by[kind] for kind in others}))


def judged(folder: Path) -> None:
    """Print the verdicts, and every part of every claim as judged by the claim's own column."""
    table = seeds.existing(folder, "claims")
    say("claims", table.set_index("claim")[["verdict", "verdict_decision_accuracy", "part", *ENDS, "n_seeds"]], 2)
    parts = seeds.existing(folder, "claim_parts")
    parts = parts[parts.by.isna()]
    say("parts", parts.set_index(["claim", "part"])[[*ENDS, "n_seeds", "verdict", "alone"]], 2)


def counting(folder: Path) -> None:
    """Print Table 1 and the primitives."""
    for name, index in {"table1": "version", "components": "source"}.items():
        say(name, seeds.existing(folder, name).set_index(index), 3)


def learning(folder: Path) -> None:
    """Print the numbers of Fig 2: accuracy by task, networks that fail, and differences between means over tasks."""
    table = read(folder, "performance")
    say("accuracy in %, mean over networks", table.pivot_table(index="kind", columns="label", values="accuracy"))
    say("lowest network", table.pivot_table(index="kind", columns="label", values="accuracy", aggfunc="min"))
    level = table.groupby("label").best_constant.agg(["min", "max"])
    tried = read(folder, "robustness").groupby("task").best_constant.agg(["min", "max"])
    say("best constant output", level.T)
    say("best constant output on the trials of the perturbations", tried.T)
    below = table.assign(below=failed(table))
    say(
        "networks below the best constant output",
        below.pivot_table(index="kind", columns="label", values="below", aggfunc="sum"),
        0,
    )
    say("networks", table.groupby("kind")[[SEED]].nunique(), 0)
    for value in ("accuracy", "decision_accuracy"):
        by = table.pivot_table(index=SEED, columns="kind", values=value)
        say(f"mean {value} over tasks, by network seed", by.T)
        say(f"differences of mean {value} over tasks", pairs(by))
    early = read(folder, "learning").query("step == 500").pivot_table(index=SEED, columns="kind", values="accuracy")
    say("after 500 steps, mean over tasks", early.mean().to_frame("accuracy"))
    say("after 500 steps, differences", pairs(early))
    t7 = table[table.label == "T7"]
    say("T7, outputs 1 and 2", t7.groupby("kind")[["accuracy_output1", "accuracy_output2"]].mean())


def perturbing(folder: Path) -> None:
    """Print the numbers of Figs 3 and 4: areas under curves, lesions on T9, lesions of equally many weights."""
    areas = read(folder, "areas")
    areas = areas[areas.task != "all"]
    for value in ("area", "relative_area"):
        by = areas.groupby(["perturbation", SEED, "kind"])[value].mean().unstack("kind")  # noqa: PD010 (a series)
        say(f"{value}, mean over tasks", by.groupby("perturbation").mean().T)
        for name in by.index.unique("perturbation"):
            say(f"{value}, {name}", pairs(by.loc[name]))
    easy = areas[areas.task.isin(EASY)]
    by = easy.groupby(["perturbation", SEED, "kind"]).area.mean().unstack("kind")  # noqa: PD010 (a series)
    for name in by.index.unique("perturbation"):
        say(f"area on T1 to T4, {name}", pairs(by.loc[name]))
    table = read(folder, "robustness")
    t9 = table[(table.task == "multi_mem") & table.perturbation.isin(["module1", "module2", "inter_module"])]
    say("T9", t9.pivot_table(index=["perturbation", "strength"], columns="kind", values="accuracy"))
    hit = table[table.n_hit.isin([250, 500, 750]) & (table.kind == "molap cca")]
    say(
        "as many weights, all tasks",
        hit[hit.task == "all"].pivot_table(index=["n_hit", "perturbation"], columns="kind", values="accuracy"),
    )
    for task in ("all", "multi_mem"):
        by = hit[hit.task == task].pivot_table(index=[SEED, "n_hit"], columns="perturbation", values="accuracy")
        for name in ("module1", "module2") if "inter_module" in by else ():
            less = (by.inter_module - by[name]).unstack("n_hit")  # noqa: PD010 (a series)
            say(f"as many weights, {task}: inter-module less {name}", intervals(less))


def leaving_out(folder: Path) -> None:
    """Print the numbers of Fig 5: tasks left out of the corpus."""
    table = read(folder, "generalisation")
    some = table[(table.n_left_out > 0) & (table.place == 1) & (table.source == "cca")]
    for value in ("difference", "to_none", "to_pca"):
        by = some.pivot_table(index=SEED, columns="n_left_out", values=value)
        say(f"{value}, mean over tasks, by number of tasks left out", intervals(by), 2)
    one = some[some.n_left_out == 1].pivot_table(index=SEED, columns="label", values="difference")
    say("left out less included, by task", intervals(one))
    two = table[(table.n_left_out == 2) & (table.source == "cca")]
    for place, rows in two.groupby("place"):
        by = rows.pivot_table(index=SEED, columns="label", values="decision_accuracy")
        say(f"two left out: decision accuracy on the task named at place {place}", by)


def of_one_more(effects: pd.DataFrame) -> pd.DataFrame:
    """Return the range that holds 95 % of further single networks, if networks are normally distributed.

    The range is mean ± half-width · √(networks + 1).
    """
    half = (effects.high - effects["mean"]) * np.sqrt(effects.n_seeds + 1)
    return pd.DataFrame({"lowest": effects["mean"] - half, "highest": effects["mean"] + half})


def switching(folder: Path) -> None:
    """Print what happens when one reading at a time is switched: effects behind claims, their changes, intervals."""
    table = seeds.read(folder, "attribution")
    if table is None:
        return
    table = table.assign(claim=table.claim.astype(str))
    for claim, rows in table.groupby("claim", sort=False):
        columns = ["mean", "low", "high", "change", "change_low", "change_high", "n_seeds", "verdict"]
        say(f"claim {claim}", rows.set_index(["part", "switch"])[columns])
    table = table.set_index(["claim", "part"])
    usual = of_one_more(table[table.switch == "none"])
    moved = table[(table.n_seeds == 1) & (table.change != 0)]
    single = moved.pivot_table(index=["claim", "part"], columns="switch", values="mean")
    single = single.reindex(usual.index)
    say("one network, switched, and what single networks show with nothing switched", usual.join(single))
    beyond = single.lt(usual.lowest - EXACT, axis=0) | single.gt(usual.highest + EXACT, axis=0)
    print(f"\n{len(moved)} effects of single networks moved, {beyond.to_numpy().sum()} of them beyond")
    say("of these, beyond what single networks show with nothing switched", single[beyond].dropna(how="all").T)
    table = read(folder.parent / "switches", "performance")
    say(
        "accuracy at the end of training, mean over the switch's networks",
        table.pivot_table(index=["switch", "kind"], columns="label", values="accuracy"),
    )


@click.command("findings")
@click.option(
    "--tables",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("docs/reference/tables"),
    metavar="DIR",
    help="The tables that are read.",
)
def main(tables: Path) -> None:
    """Print the numbers of the findings."""
    if seeds.read(tables, "claims") is None:
        raise Refused(f"--tables: {tables} has no claims.csv; give a folder of gathered tables")
    np.seterr(all="ignore")
    for part in (judged, counting, learning, perturbing, leaving_out, switching):
        print(f"\n== {part.__doc__}")
        part(tables)
    print("\n== Forgetting")
    table = read(tables, "forgetting")
    say("DNI, mean over tasks", table.groupby("kind")[[name for name in table if name.startswith("accuracy")]].mean().T)


if __name__ == "__main__":
    run(main)
