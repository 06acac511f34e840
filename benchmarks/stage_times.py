"""Show where the time of a finished run went: start-up, compilation and computing by stage, from its records.

    python benchmarks/stage_times.py results/paper
    python benchmarks/stage_times.py results/paper --resources workflow/resources.csv

CPU seconds: start-up until the settings were read (Python and its imports), compilation as JAX measures it, computing
all else. The jobs of a stage are those of the run and of the runs inside it (`without/`, `modules/`, `tune/`,
`baselines/`).

Below the table: the arithmetic of the recurrences in training and perturbations (the products of states, errors and
gradients with W_rec), the time that it takes at the speed of NumPy's sgemm at this moment, and the share of the run.

`--resources` renews the table's rows of the stages that the run has: memory and time of the largest job, which the
workflow asks a cluster for, and the time of a mean job, scaled from the run's configuration to the preset `paper`,
by which the workflow expects how long a run takes.
"""

import argparse
import csv
import json
import math
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the speed of one core

import numpy as np

from molap.config.run import RunConfig, parse_config
from molap.config.tasks import N_STEPS
from molap.planning.contents import n_units
from molap.planning.expected import computing
from molap.report.provenance import stage_times
from molap.storage.files import read_json

COLUMNS = ("stage", "memory_mb", "cpu_s", "overhead_s", "computing_s")


def read_records(folder: Path, without: Sequence[str] = ()) -> list[dict]:
    """Return the records below a folder, in the order of their paths; those in some of its own folders are left out."""
    files = sorted(folder.rglob("*.record.json"))
    return [read_json(file) for file in files if file.relative_to(folder).parts[0] not in without]


def stage_resources(records: list[dict], c: RunConfig) -> dict[str, dict[str, str]]:
    """Return the table's row of each stage of a run, by stage."""
    times = {}
    for record in records:
        if "same" not in record["inputs"]:  # taken over in no time
            times.setdefault(record["stage"], []).append(record["time"])
    own, preset, rows = computing(c), computing(RunConfig()), {}
    for stage, of in times.items():
        largest = [math.ceil(max(time[name] for time in of)) for name in ("peak_memory_mb", "cpu_s")]
        overhead = statistics.mean(time["startup_s"] + time["compilation_s"] for time in of)
        computed = max(statistics.mean(time["cpu_s"] for time in of) - overhead, 0)
        computed *= preset[stage] / own[stage] if own.get(stage) else 1
        rows[stage] = dict(zip(COLUMNS, (stage, *largest, f"{overhead:.1f}", f"{computed:.1f}"), strict=True))
    return rows


def renew(table: Path, rows: dict[str, dict[str, str]]) -> None:
    """Put rows in the place of a table's own; the rows of other stages stay."""
    with open(table, encoding="utf-8", newline="") as file:
        kept = {row["stage"]: row for row in csv.DictReader(file)}
    lines = [",".join(COLUMNS)] + [
        ",".join(str(row[name]) for name in COLUMNS) for _, row in sorted((kept | rows).items())
    ]
    table.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def recurrences(records: list[dict], c: RunConfig) -> float:
    """Return the operations of the recurrences' products in training and perturbations, 2 for a weight and a state.

    Every step of time and trial takes W_rec once forward; in training once more backward, and once for the gradient of
    those of its weights that train.
    """
    total = 0.0
    for record in records:
        settings, metrics = record["settings"], record["metrics"]
        if "same" in record["inputs"]:
            continue  # taken over, not trained
        if record["stage"] in ("head", "module", "separate", "sequence", "joint"):
            n_weights = metrics["n_weights_of"]["w_rec"]
            n_trained = 0 if record["stage"] == "head" else min(metrics["n_trained"], n_weights)
            phase = settings["phase"]
            n_trials = phase["n_steps"] * phase["batch_size"] * len(settings["seeds"])
            total += n_trials * (2 * n_weights + n_trained)
        elif record["stage"] == "perturbation":
            total += metrics["n_evaluations"] * settings["n_trials"] * n_units(c, settings["kind"]) ** 2
    return 2 * N_STEPS * total


def sgemm() -> float:
    """Return the operations per CPU second of NumPy's product of two matrices of 2,000 × 2,000, the best of five."""
    rng, seconds = np.random.default_rng(0), []
    a, b = (rng.standard_normal((2000, 2000), np.float32) for _ in range(2))
    for _ in range(5):
        start = time.process_time()
        a @ b
        seconds.append(time.process_time() - start)
    return 2 * 2000**3 / min(seconds)


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of a run, e.g. results/paper")
    parser.add_argument("--resources", type=Path, metavar="TABLE", help="renew its rows in workflow/resources.csv")
    arguments = parser.parse_args()
    records = read_records(arguments.folder)
    c = parse_config(json.loads((arguments.folder / "configuration.json").read_text(encoding="utf-8")))
    if arguments.resources:
        renew(arguments.resources, stage_resources(records, c))
        return
    table = stage_times(records).round(1).reset_index()
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |")
    operations, speed = recurrences(records, c), sgemm()
    seconds = operations / speed
    cpu_s = sum(record["time"]["cpu_s"] for record in records)
    print(
        f"\nrecurrences: {operations / 1e12:.0f} Tflop, {seconds:.0f} s at {speed / 1e9:.0f} GFLOP/s, "
        f"{seconds / cpu_s:.0%} of {cpu_s:.0f} CPU s"
    )


if __name__ == "__main__":
    main()
