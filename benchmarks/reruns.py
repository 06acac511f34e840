"""Work out from the rules what a change re-runs: `docs/reruns.md`, and the table that a test holds Snakemake to.

    python benchmarks/reruns.py         # writes both; two minutes

For every configuration key and every module, what must run again follows from the workflow's graph, the settings of its
jobs and the imports of their programs.
"""

import contextlib
import json
import tempfile
import typing
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from dry_runs import DryRuns
from sources import OWN_TASK, REPOSITORY, copy_sources

from molap.config.base import ConfigError
from molap.config.run import RunConfig, parse_config
from molap.jobs.digests import closure
from molap.planning.dry_run import read_jobs
from molap.planning.plan import Plan
from molap.planning.why import places

TABLE = REPOSITORY / "docs" / "tables" / "reruns.json"
PAGE = REPOSITORY / "docs" / "reruns.md"
TARGETS = ("default", "baselines", "modules", "article", "tune", "diagnose")
RULES = {"claims": "claims_table", "modules": "modules_table", "article": "article_pdf"}
"""Rules that are not called as their stage is, because a target is; the head of the page says so."""
MADE, READ = "Missing output files", "Input files updated by another job"
OWN_RESERVOIR = "own.npz"
OWN_CLAIMS = "own-claims.yaml"
VALUES = {
    "name": "another",
    "tasks.modules": ["own.py"],
    "pretraining.n_stages": 2,
    "heads.n_stages": 2,
    "separate.n_stages": 2,
    "dni.n_stages": 2,
    "dni.baselines": ["dni-norule"],
    "perturbations.n_trials": 20,
    "perturbations.example_task": "delay_pro",
    "generalisation.sources": ["pca"],
    "generalisation.left_out": [["mem_dm1"]],
    "generalisation.without": ["mem_dm1"],
    "reservoirs.files": {"own": OWN_RESERVOIR},
    "figures.example_task": "mem_dm1",
    "figures.plateau_tasks": ["delay_pro"],
    "seeds.per_job": 1,
    "tune.tasks": ["delay_pro"],
    "tune.grids": [
        {"readout_init": ["zero", "n_units"], "recurrent_rate": [0.1], "n_steps": [4], "batch_size": [10]},
        {"clip_norm": [None], "n_steps": [2], "batch_size": [10], "batches": ["frozen"]},
    ],
    "claims.file": OWN_CLAIMS,
    "attribution.switches": {"protocol": {"network": {"readout_init": "n_units"}}},
    "attribution.claims": [1, 3],
    "tracking.uri": "http://127.0.0.1:5000",
    "tracking.experiment": "another",
}
"""Another value of the keys for which none follows from the type."""


class Node(NamedTuple):
    """A job: its rule and wildcards, the files that it reads and makes."""

    rule: str
    program: str
    stage: str
    wildcards: dict[str, str]
    inputs: frozenset[str]
    outputs: frozenset[str]


def prepare(folder: Path) -> None:
    """Copy the sources, and add all that the values above name."""
    copy_sources(folder)
    tiny = folder / "tiny.yaml"
    tiny.write_text(yaml.safe_dump(yaml.safe_load(tiny.read_text()) | {"tracking": {"enabled": False}}))
    add_own(folder)


def add_own(folder: Path) -> None:
    """Write a user's task, reservoir and claims, for the keys that name files."""
    (folder / "own.py").write_text(OWN_TASK)
    np.savez(folder / OWN_RESERVOIR, w_rec=np.random.default_rng(0).normal(0, 0.3, (12, 12)))
    claims = yaml.safe_load((REPOSITORY / "config" / "claims.yaml").read_text())
    (folder / OWN_CLAIMS).write_text(yaml.safe_dump(claims | {"also_by": []}))


def graph(runs: DryRuns, folder: Path, config: str) -> list[Node]:
    """All jobs behind the targets; nothing may be finished, so that the reasons of a dry run name every file."""
    jobs = read_jobs(runs(folder, "--dry-run", "--printshellcmds", *TARGETS, "--configfile", config))
    nameless = [job.outputs for job in jobs if not any(places(job))]
    assert not nameless, f"the first output of a job names its stage: {nameless}"
    return [
        Node(RULES.get(stage, stage), job.program, stage, wildcards, _files(job.reason, READ), _files(job.reason, MADE))
        for job in jobs
        for stage, wildcards in places(job)
    ]


def _files(reason: str, which: str) -> frozenset[str]:
    """Return the files that a reason names after some words."""
    parts = [part.partition(": ") for part in reason.split("; ")]
    return frozenset(file for words, _, files in parts if words == which for file in files.split(", "))


def after(roots: Iterable[Node], nodes: Iterable[Node]) -> list[Node]:
    """Return the roots and all jobs that read what they make, directly or through others."""
    found = list(roots)
    reached, made = {node.outputs for node in found}, {file for node in found for file in node.outputs}
    while further := [node for node in nodes if node.outputs not in reached and node.inputs & made]:
        found += further
        reached |= {node.outputs for node in further}
        made |= {file for node in further for file in node.outputs}
    return found


def keys(model: type = RunConfig, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted name and pydantic field of every configuration key."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def with_key(values: dict, key: str, value: object) -> dict:
    """Plain values of a configuration, with one key set, and those that this key does not allow beside it."""
    new = json.loads(json.dumps(values))
    if key == "generalisation.without":
        new["generalisation"]["left_out"] = []
    *sections, last = key.split(".")
    at = new
    for section in sections:
        at = at.setdefault(section, {})
    at[last] = value
    return new


def another(values: dict, key: str, field) -> object:
    """Return a value of a key that is allowed in this configuration and is not the one it has."""
    value = parse_config(values).model_dump(mode="json")
    for part in key.split("."):
        value = value[part]
    for candidate in [VALUES[key]] if key in VALUES else _candidates(value, field):
        try:
            if candidate != value and parse_config(with_key(values, key, candidate)):
                return candidate
        except ConfigError:
            continue
    raise LookupError(f"no other value of {key} than {value} is at hand")


def _candidates(value: object, field) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value * 2, value + 1, value - 1, value / 2)
    elif isinstance(value, str):
        yield from typing.get_args(field.annotation)
    elif isinstance(value, list) and isinstance(value[0], int | float):
        yield [2 * item for item in value]
    elif isinstance(value, list):
        yield from (value[:-1], value[::-1])


def of_key(old: Plan, new: Plan, before: list[Node], now: list[Node]) -> list[Node]:
    """Return the jobs of the new graph that are new, whose settings differ, or that read other files than before."""
    # A reason names only the outputs that are read: one of them tells the job.
    made = {file: node for node in before for file in node.outputs}
    found = []
    for node in now:
        same = next((made[file] for file in node.outputs if file in made), None)
        if same is None or node.inputs != same.inputs or settings(old, node) != settings(new, node):
            found.append(node)
    return found


def settings(plan: Plan, node: Node) -> str:
    """Return the settings of a job."""
    return plan.settings(node.stage, **node.wildcards)


def of_module(module: str, nodes: list[Node]) -> list[Node]:
    """Return the jobs whose program imports a module of the package, directly or through others."""
    reading = {name for name in {node.program for node in nodes} if module in closure(f"molap.stages.{name}")}
    return [node for node in nodes if node.program in reading]


def modules() -> list[str]:
    """All modules of the package."""
    package = REPOSITORY / "molap"
    files = sorted(package.rglob("*.py"))
    return [".".join(file.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__") for file in files]


def row(roots: list[Node], nodes: list[Node]) -> dict[str, dict[str, int]]:
    """Return the number of jobs by rule: those that change themselves, and those that follow."""
    reached = after(roots, nodes)
    own = {node.outputs for node in roots}
    count = lambda chosen: dict(sorted(Counter(node.rule for node in chosen).items()))  # noqa: E731
    return {"first": count(roots), "then": count(node for node in reached if node.outputs not in own)}


def table(folder: Path) -> dict:
    """Key or module → what re-runs in a finished copy of the tiny configuration."""
    with DryRuns(str(folder), "--dry-run", *TARGETS, "--configfile", "tiny.yaml") as runs:
        values = yaml.safe_load((folder / "tiny.yaml").read_text())
        old, before = Plan(parse_config(values)), graph(runs, folder, "tiny.yaml")
        found = {"keys": {}, "modules": {name: row(of_module(name, before), before) for name in modules()}}
        for key, field in keys():
            value = another(values, key, field)
            changed = with_key(values, key, value)
            (folder / "changed.yaml").write_text(yaml.safe_dump(changed))
            now = graph(runs, folder, "changed.yaml")
            found["keys"][key] = {"value": value} | row(of_key(old, Plan(parse_config(changed)), before, now), now)
            print(key, value, found["keys"][key]["first"], flush=True)
    return found


PAGE_HEAD = """# What re-runs after a change

For every configuration key and every module of the package: the rules whose jobs run again, and no others. The left
column of rules holds those whose own settings or source change, the right one those that read what they make. A rule is
named if any of its jobs re-runs; `snakemake -n` counts them under the same names, `molap why` names
the cause of each. The rules `claims_table`, `modules_table` and `article_pdf` make what the code calls `claims`,
`modules` and `article`, names that targets have as well.

Comments, docstrings, layout, `touch` and the order of keys re-run nothing; a reworded description of a key or of a
table re-runs `pages` alone, the report's pages that print it. Swapped values, an older modification time, removed
metadata and other versions of the packages are noticed.

The table holds for a plain `snakemake` and for the targets `baselines`, `modules`, `article`, `tune` and `diagnose`.
`snakemake attribution` adds runs inside the run, to which the same rules apply; the keys of `attribution` set these.

This page is made from the rules by `python benchmarks/reruns.py`; `tests/workflow/test_contract.py` derives every
row again. For each distinct row it also changes one key or module in a finished copy, and compares what Snakemake
plans, job by job, with [the table behind it](tables/reruns.json).
"""


def page(found: dict) -> str:
    """Return the table for readers: keys and modules with the same stages in one row."""
    parts = [PAGE_HEAD]
    for kind, first in (("keys", "rules that it sets"), ("modules", "rules that import it")):
        groups: dict[tuple[str, str], list[str]] = {}
        for name, of in found[kind].items():
            groups.setdefault((_stages(of["first"]), _stages(of["then"], of["first"])), []).append(f"`{name}`")
        rows = [f"| {' '.join(names)} | {stages} | {then} |" for (stages, then), names in groups.items()]
        head = f"## {kind.capitalize()}\n\n| {kind} | {first} | rules after these |\n|---|---|---|"
        parts.append("\n".join([head, *rows]) + "\n")
    return "\n".join(parts)


def _stages(of: dict[str, int], without: dict[str, int] | None = None) -> str:
    return ", ".join(name for name in of if name not in (without or {})) or "none"


def _lines(found: dict) -> str:
    """JSON with a line for each key and module."""
    parts = []
    for kind, rows in found.items():
        lines = [f"{json.dumps(name)}: {json.dumps(of, ensure_ascii=False)}" for name, of in rows.items()]
        parts.append(f"{json.dumps(kind)}: {{\n" + ",\n".join(lines) + "\n}")
    return "{" + ",\n".join(parts) + "}\n"


def main() -> None:
    """Write the table and the page."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # where the keys that name files find them
        prepare(Path(folder))
        found = table(Path(folder))
    TABLE.write_text(_lines(found), encoding="utf-8")
    PAGE.write_text(page(found), encoding="utf-8")


if __name__ == "__main__":
    main()
