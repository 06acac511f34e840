"""What a change re-runs: for every configuration key and every source module, the stages that it reaches.

The jobs and what they read come from Snakemake (`--detailed-summary`), what a key or module reaches from the plan.
"""

import json
import subprocess
import sys
import typing
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from molap.config.base import ConfigError
from molap.config.run import RunConfig, parse_config
from molap.digests import closure
from molap.due import Refused, due_jobs
from molap.plan import Plan
from molap.why import places


class Node(NamedTuple):
    """A job: its stage and wildcards, the files that it reads and makes."""

    stage: str
    wildcards: dict[str, str]
    inputs: frozenset[str]
    outputs: frozenset[str]

    @property
    def program(self) -> str:
        """The module in `molap.stages` that it runs."""
        return "testset" if self.stage == "validation" else self.stage


def nodes(arguments: Sequence[str] = ()) -> list[Node]:
    """All jobs of the workflow behind the targets among `arguments`, finished or not.

    Raises:
        Refused: if snakemake fails.
    """
    command = [sys.executable, "-m", "snakemake", "--detailed-summary", "--nolock", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Refused((result.stdout + result.stderr).strip())
    rows = [line.split("\t") for line in result.stdout.splitlines()[1:] if line.count("\t") == 7]
    reads = {row[0]: frozenset(filter(None, row[4].split(","))) for row in rows}
    beside: dict[str, set[str]] = {}
    for file in reads:
        beside.setdefault(_stem(file), set()).add(file)
    return [
        Node(stage, wildcards, reads[job.outputs[0]], frozenset(beside[_stem(job.outputs[0])]))
        for job in due_jobs(["--forceall", *arguments])
        for stage, wildcards in places(job)
    ]


def _stem(file: str) -> str:
    """What a job's outputs have in common: `….npz`, `….checkpoints.npz`, `….record.json`."""
    folder, _, name = file.rpartition("/")
    return f"{folder}/{name.partition('.')[0]}"


def after(roots: Iterable[Node], graph: Sequence[Node]) -> list[Node]:
    """The roots and all jobs that read what they make, directly or through others."""
    reached = {id(node) for node in roots}
    made = {file for node in roots for file in node.outputs}
    while True:
        further = [node for node in graph if id(node) not in reached and node.inputs & made]
        if not further:
            return [node for node in graph if id(node) in reached]
        reached |= {id(node) for node in further}
        made |= {file for node in further for file in node.outputs}


def keys(model: type = RunConfig, prefix: str = "") -> Iterator[tuple[str, object]]:
    """Dotted name and pydantic field of every configuration key."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def with_key(values: dict, key: str, value: object) -> dict:
    """Plain values of a configuration, with one key set."""
    new = json.loads(json.dumps(values))
    *sections, last = key.split(".")
    at = new
    for section in sections:
        at = at.setdefault(section, {})
    at[last] = value
    return new


def another(config: RunConfig, key: str, field) -> object:
    """A value of a key that is allowed in this configuration and is not the one it has; none where none is at hand."""
    values = config.model_dump(mode="json")
    value = values
    for part in key.split("."):
        value = value[part]
    for candidate in _candidates(value, field):
        try:
            if candidate != value and parse_config(with_key(values, key, candidate)):
                return candidate
        except ConfigError:
            continue
    return None


def _candidates(value: object, field) -> Iterator[object]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value * 2, value + 1, value - 1, value / 2)
    elif isinstance(value, str):
        yield from typing.get_args(field.annotation)
    elif isinstance(value, list) and value:
        yield from (value[:-1], value[1:], value[::-1])


def of_key(config: RunConfig, key: str, value: object, graph: Sequence[Node]) -> list[Node]:
    """The jobs of this configuration whose settings a new value of a key changes."""
    old, new = Plan(config), Plan(parse_config(with_key(config.model_dump(mode="json"), key, value)))
    return [node for node in graph if settings(old, node) != settings(new, node)]


def settings(plan: Plan, node: Node) -> str | None:
    """Those of a job; none where the plan has no such job."""
    try:
        return plan.settings(node.stage, **node.wildcards)
    except (KeyError, ValueError):
        return None


def of_module(module: str, graph: Sequence[Node]) -> list[Node]:
    """The jobs whose program imports a module of the package, directly or through others."""
    programs = {node.program for node in graph}
    reading = {name for name in programs if module in closure(f"molap.stages.{name}")}
    return [node for node in graph if node.program in reading]
