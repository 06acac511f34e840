"""Describe a job for MLflow: its record as parameters, metrics, curves, tags and artifacts.

This module works without MLflow. A job that trains or evaluates several network seeds becomes one run per seed, so
that the UI can group runs over seeds.
"""

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from molap.analysis.collect import split_kind
from molap.config.tasks import TASK_LABELS
from molap.storage.files import canonical_json
from molap.tracking.values import directions, finite, metrics_of, params_of, prefix_of, thin, timed

SHOWN = {".png", ".svg", ".pdf", ".csv", ".json", ".html"}
"""Types of outputs that are copied into MLflow; arrays stay in `results/`."""

MAX_ERROR = 500
"""Largest number of characters of an error in a tag; the note and the log hold the rest."""

VARIANTS = {"switch": "switch", "without": "left_out", "modules": "modules"}
"""Folders, in a preset or in a run inside it, that hold further runs → the tag, besides `run`, that names them."""


class TrackedRun(NamedTuple):
    """A run as MLflow should store it. Times are in milliseconds since 1970."""

    key: str
    name: str
    status: str
    start: int
    end: int
    params: dict[str, str]
    metrics: dict[str, float]
    curves: dict[str, list[tuple[int, float, int]]]
    tags: dict[str, str]
    artifacts: list[Path]
    texts: dict[str, str]
    dataset: dict[str, str] | None


def describe(job: str, record: dict, results: Path) -> list[TrackedRun]:
    """Return a finished job as runs.

    Args:
        job: the path of its record below `results`, without `.record.json`.
        record: the record.
        results: the results folder, from which the records of inputs are read if they exist.
    """
    upstream = {name: _record_of(path, results) for name, path in record["inputs"].items()}
    settings, metrics, curves = record["settings"], record["metrics"], record.get("curves", {})
    seeds = _seeds(settings)
    per_seed = len(seeds) > 1 and any(_is_list(v, len(seeds)) for v in (*metrics.values(), *curves.values()))
    without_curves = {name: value for name, value in record.items() if name != "curves"}
    found = []
    for i, seed in enumerate(seeds if per_seed else seeds[:1] or [None]):
        of_seed = {
            name: value[i] if seeds and _is_list(value, len(seeds)) else value for name, value in metrics.items()
        }
        prefix = prefix_of(record["stage"], upstream)
        values, steps = metrics_of(prefix, of_seed, upstream)
        times = {f"time/{name}": value for name, value in record["time"].items() if name not in ("start", "end")}
        start, end = (round(record["time"][name] * 1000) for name in ("start", "end"))
        for name, curve in curves.items():
            if len(curve):
                steps[f"train/{name}"] = thin(curve[i])
        own_seeds = seeds[i : i + 1] if per_seed else seeds
        tags = _tags(job, record, upstream, own_seeds) | directions(prefix, record, upstream, times)
        found.append(
            TrackedRun(
                key=f"{job}:seed{seed}" if per_seed else job,
                name=_title(record["stage"], tags),
                status="FINISHED",
                start=start,
                end=end,
                params=params_of(settings, upstream.get("network")),
                metrics=finite(values | times),
                curves={name: timed(points, start, end) for name, points in steps.items() if points},
                tags=tags | {"mlflow.note.content": _note(job, record, tags, seeds if per_seed else [])},
                artifacts=_artifacts(job, record, results),
                texts={"record.json": json.dumps(without_curves, indent=1, sort_keys=True)},
                dataset=_dataset(record, upstream.get("testset")),
            )
        )
    return found


def describe_failure(job: str, attempt: dict) -> list[TrackedRun]:
    """Return a job that failed, or that ended without reporting an error, as a run."""
    settings = attempt.get("settings") or {}
    start = round(attempt["start"] * 1000)
    end = round(attempt.get("end", attempt["start"]) * 1000)
    error = attempt.get("error") or "ended without a word: killed, out of memory, or its machine was lost"
    record = attempt | {"inputs": {}}
    seeds = _seeds(settings)
    tags = _tags(job, record, {}, seeds) | {"error": error[:MAX_ERROR]}
    log = attempt.get("log_end") or _end_of(attempt.get("log"))
    note = f"**Failed**: {error}\n\nStage {attempt['stage']}"
    note += f", network seeds {', '.join(map(str, seeds))}" if seeds else ""
    note += f". End of the log {attempt['log']}:\n\n```\n{log[-2000:]}\n```" if log else "."
    return [
        TrackedRun(
            key=job,
            name=_title(attempt["stage"], tags),
            status="FAILED",
            start=start,
            end=end,
            params=params_of(settings, None),
            metrics={},
            curves={},
            tags=tags | {"mlflow.note.content": note},
            artifacts=[],
            texts={"attempt.json": json.dumps(attempt, indent=1, sort_keys=True)} | ({"log.txt": log} if log else {}),
            dataset=None,
        )
    ]


def _seeds(settings: dict) -> list[int]:
    """Return the network seeds of a job; the configuration's `seeds` are a section."""
    seeds = settings.get("seeds")
    return seeds if isinstance(seeds, list) else []


def _tags(job: str, record: dict, upstream: dict, seeds: list[int]) -> dict[str, str]:
    settings, stage = record.get("settings") or {}, record["stage"]
    settings = {name: value for name, value in settings.items() if isinstance(value, str | int)}
    preset, _, rest = job.partition("/")
    tags = {"stage": stage, "preset": preset, "run": preset, "job": job}
    parts = rest.split("/")
    while len(parts) > 2 and parts[0] in VARIANTS:
        variant, name, *parts = parts
        tags |= {VARIANTS[variant]: name, "run": f"{tags['run']}/{variant}/{name}"}
    if len(parts) > 1 and parts[0] == "baselines":
        tags["run"] += "/baselines"
    if len(parts) > 2 and parts[0] == "tune":
        tags["grid"] = parts[1]
    if isinstance(settings.get("kind"), str):
        tags["strategy"], tags["source"] = split_kind(settings["kind"])
    elif stage in ("head", "module", "search_modules"):
        tags |= {"strategy": "molap", "source": str(settings.get("source", "-"))}
    elif stage == "separate":
        tags |= {"strategy": "separate", "source": "-"}
    elif "/sequences/" in job:
        kind, *place = job.partition("/sequences/")[2].split("/")[1:]
        tags["strategy"], tags["source"] = split_kind(kind)
        if place[0].startswith("order"):
            tags["order"] = place[0].removeprefix("order")
    elif "source" in settings:
        tags["source"] = str(settings["source"])
    if "strategy" in tags:
        tags["kind"] = f"{tags['strategy']}-{tags['source']}".removesuffix("--")
    if isinstance(settings.get("task"), str):
        tags["task"] = settings["task"]
        if settings["task"] in TASK_LABELS:
            tags["label"] = TASK_LABELS[settings["task"]]
    if "module" in settings:
        tags["module"] = str(settings["module"])
    if seeds:
        tags["network_seeds"] = ",".join(map(str, seeds))
    if "network" in record["inputs"]:
        tags["network_job"] = _job_of(record["inputs"]["network"])
    git = record.get("git") or {}
    if git:
        tags |= {"git_commit": git["commit"], "git_dirty": str(git["dirty"]).lower()}
        tags["mlflow.source.git.commit"] = git["commit"]
    tags |= {f"version.{name}": version for name, version in record.get("versions", {}).items()}
    tags |= {"source_digest": record.get("code") or "", "mlflow.source.name": f"python -m molap.stages.{stage}"}
    return tags | {"mlflow.source.type": "JOB"}


def _title(stage: str, tags: dict[str, str]) -> str:
    kind = "-".join(tags[name] for name in ("strategy", "source") if tags.get(name, "-") != "-")
    stage = f"{stage} {tags['module']}" if "module" in tags else stage
    parts = [stage if stage != kind else "", kind, tags.get("label", ""), tags.get("task", "")]
    if "network_seeds" in tags:
        parts.append(f"seed {tags['network_seeds']}")
    return " ".join(part for part in parts if part)


def _note(job: str, record: dict, tags: dict[str, str], shared_by: list[int]) -> str:
    lines = [f"**{_title(record['stage'], tags)}**, preset {tags['preset']}."]
    if "grid" in tags:
        lines.append(f"The candidates of a grid of the search for how networks are trained: {tags['grid']}.")
    if "switch" in tags:
        lines.append(f"A run of the attribution, with {tags['switch']} switched.")
    if "left_out" in tags:
        lines.append(f"Left out of the corpus: {', '.join(tags['left_out'].split('+'))}.")
    if record["inputs"]:
        lines.append("From " + ", ".join(f"`{path}`" for path in record["inputs"].values()) + ".")
    lines.append("Wrote " + ", ".join(f"`{path}`" for path in record["outputs"].values()) + ".")
    if shared_by:
        lines.append(f"One job for the network seeds {', '.join(map(str, shared_by))}: times and memory are the job's.")
    if not (record.get("git") or {"dirty": False})["dirty"]:
        lines.append("The source tree was clean.")
    else:
        lines.append("The source tree held uncommitted changes.")
    lines.append(f"All that is known about it is in `record.json` among the artifacts and `results/{job}.record.json`.")
    return "\n\n".join(lines)


def _artifacts(job: str, record: dict, results: Path) -> list[Path]:
    """Return the files to copy: figures in all formats with their data, tables, and the run's full configuration."""
    found = []
    for output in record["outputs"].values():
        path = _below(output, results)
        if path.suffix == ".png":
            found += [*path.parent.glob(f"{path.stem}.*"), *path.parent.glob(f"{path.stem}_*")]
        else:
            found.append(path)
    found.append(results / job.split("/")[0] / "configuration.json")
    kept = (
        path for path in found if path.suffix in SHOWN and not path.name.endswith((".record.json", ".attempt.json"))
    )
    return sorted({path for path in kept if path.is_file()})


def _dataset(record: dict, testset: dict | None) -> dict[str, str] | None:
    """Return the test set that a job read, with a digest of everything that determines it."""
    if not testset or "testset" not in record["inputs"]:
        return None
    settings = testset["settings"]
    identity = canonical_json([settings, testset["code"]])
    return {
        "name": f"{settings['stream']} {settings['task']}",
        "digest": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "source_type": "local",
        "source": canonical_json({"uri": record["inputs"]["testset"]}),
        "profile": canonical_json({"num_trials": settings["n_trials"]}),
    }


def _record_of(path: str, results: Path) -> dict:
    file = results / f"{_job_of(path)}.record.json"
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _job_of(path: str) -> str:
    """Return the job of an output: `results/paper/corpus/corpus.npz` → `paper/corpus/corpus`."""
    return path.partition("/")[2].rsplit(".", 1)[0]


def _below(path: str, results: Path) -> Path:
    return results / path.partition("/")[2]


def _is_list(value: object, length: int) -> bool:
    return isinstance(value, list) and len(value) == length


def _end_of(log: str | None, n_characters: int = 8000) -> str:
    try:
        return Path(log).read_text(encoding="utf-8", errors="replace")[-n_characters:] if log else ""
    except OSError:
        return ""
