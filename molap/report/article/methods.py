"""Describe, from configuration and registry, what was computed: tasks, training phases, perturbations, readings."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from molap.config.run import RunSettings
from molap.config.tasks import TASK_NAMES
from molap.report.article.words import listed, setting, table_of
from molap.tasks.task import Task

TEXT = Path(__file__).parent / "text"
PERTURBED = {
    "module": ("weights within a module", " %"),
    "inter_module": ("weights between modules", " %"),
    "whole": ("weights of the whole network", " %"),
    "silence": ("units, clamped at zero", " %"),
    "noise": ("every weight, by Gaussian noise", ""),
}
"""Perturbation → what it hits, and the unit of its strengths."""
MOST_CHANNELS = 5
"""Largest number of channels that are all named."""
ANY = "?"
"""Marks, in `readings.csv`, a value about which the text says nothing."""
FIELDS = ("learning_rate", "recurrent_rate", "n_steps", "batch_size")
"""Settings of a phase that the table of phases shows."""
APART = ("name", "attribution", "tune", "claims", "figures", "modules")
"""Sections of the configuration that no network of the run depends on; their keys do not count as departures."""


def tasks_table(tasks: Sequence[Task]) -> dict:
    """Return the table of tasks: label, name, channels, epochs, number and duration of steps."""
    rows = [
        (
            task.label,
            task.name,
            _channels(task.inputs),
            _channels(task.outputs),
            ", ".join(f"{name} {first}–{after}" for name, (first, after) in task.epochs.items()) or "–",
            task.n_steps,
            f"{task.dt:g}",
        )
        for task in tasks
    ]
    return table_of(("label", "task", "inputs", "outputs", "epochs", "steps", "ms"), rows, left=5, wide=(4,))


def _channels(names: Sequence[str]) -> str:
    """Name all channels or, if there are many, the first and the last, and their number."""
    if len(names) <= MOST_CHANNELS:
        return ", ".join(names)
    return f"{names[0]}, {names[1]}, …, {names[-1]} ({len(names)})"


def phases_table(values: Mapping[str, Any], kinds: Sequence[str]) -> dict:
    """Return the table of the training phases of this run's networks."""
    units = f"{values['network']['n_units']}"
    phases = [
        ("module, on a primitive", "pretraining", "W_rec within it, W_in, W_out", units),
        ("head of a task", "heads", "W_in, W_out", units),
        ("separate network", "separate", "all", f"{values['separate_network']['n_units']}"),
    ]
    if any(kind.partition("-")[0] in ("dni", "sequential", "joint") for kind in kinds):
        phases.append(("one network, each task", "dni", "all", f"{values['dni']['n_units']}"))
    rows = [
        (name, trained, n_units, *(setting(values[key].get(field, "–")) for field in FIELDS))
        for name, key, trained, n_units in phases
        if key != "pretraining" or any(source in ("cca", "pca") for source in values["primitives"]["sources"])
    ]
    return table_of(("phase", "trained", "units", "rate", "× W_rec", "steps", "batch"), rows, left=2)


def perturbations_table(values: Mapping[str, Any]) -> dict:
    """Return the table of perturbations and their strengths, without perturbations that have no strengths."""
    rows = [
        (name, hit, ", ".join(f"{strength:g}" for strength in values["perturbations"][name]) + unit)
        for name, (hit, unit) in PERTURBED.items()
        if values["perturbations"][name]
    ]
    return table_of(("perturbation", "hits", "strengths"), rows, left=3, wide=(2,))


def readings_table(values: Mapping[str, Any]) -> dict:
    """Return the table of readings: text, released code, this run; bold where it departs from the text's letter."""
    rows: list[tuple[str, ...]] = []
    strong = []
    known = pd.read_csv(TEXT / "readings.csv", keep_default_na=False)
    for row in known.to_dict("records"):
        keys = row["keys"].split()
        here = [_value(values, key) for key in keys]
        letter = json.loads(row["letter"]) if row["letter"] else here
        if any(there not in (ANY, value) for value, there in zip(here, letter, strict=True)):
            strong.append(len(rows))
        cells = (", ".join(keys) or "–", setting(here) if here else "–")
        rows.append((row["reading"], row["text"], row["code"], *cells))
    columns = ("reading", "paper's text", "released code", "key", "here")
    return table_of(columns, rows, left=5, wide=(1, 2, 3)) | {"strong": strong}


def _value(values: Mapping[str, Any], key: str) -> object:
    section, _, name = key.partition(".")
    return values[section][name]


def departures_table(values: Mapping[str, Any]) -> dict | None:
    """Return the table of keys whose values differ from the preset `paper`; None if there are none."""
    preset = RunSettings().model_dump(mode="json")
    rows = [
        (key, setting(value), setting(default))
        for key, value, default in _pairs(values, preset)
        if value != default and key.partition(".")[0] not in APART
    ]
    return table_of(("key", "here", "preset"), rows, left=3, wide=(1, 2)) if rows else None


def _pairs(values: Mapping, preset: Mapping):
    for section, default in preset.items():
        if isinstance(default, dict):
            for name in default:
                yield f"{section}.{name}", values[section][name], default[name]
        else:
            yield section, values[section], default


def families(names: Sequence[str]) -> dict[str, str]:
    """Return, by family, the paper's tasks that the run has, so that the text describes only these."""
    own = [name for name in names if name in TASK_NAMES]
    groups = {
        "any": tuple(TASK_NAMES),
        "pro": ("delay_pro", "mem_pro"),
        "anti": ("delay_anti", "mem_anti"),
        "memory": ("mem_pro", "mem_anti"),
        "pulses": ("mem_dm1", "mem_dm2", "context_mem_dm1", "context_mem_dm2"),
        "context": ("context_mem_dm1", "context_mem_dm2"),
        "sums": ("multi_mem",),
    }
    return {family: listed(name for name in group if name in own) for family, group in groups.items()}
