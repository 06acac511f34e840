"""Where the time of a finished run went: start-up, compilation and computing by stage, from its records.

    python benchmarks/stage_times.py results/paper
    python benchmarks/stage_times.py results/paper --resources workflow/resources.csv

CPU seconds: start-up until the settings were read (Python and its imports), compilation as JAX measures it, computing
all else. A stage includes the jobs of runs inside the run (`without/`, `modules/`, `tune/`, `yardsticks/`).

`--resources` renews the table's rows of the stages that the run has: memory and time of the largest job, which the
workflow asks a cluster for, and the time of a mean job, scaled from the run's configuration to the preset `paper`,
by which the workflow expects how long a run takes.
"""

import argparse
import csv
import json
import math
import statistics
from pathlib import Path

from molap.config.run import RunConfig, parse_config
from molap.planning.expected import computing
from molap.report.provenance import read_records, stage_times

COLUMNS = ("stage", "memory_mb", "cpu_s", "overhead_s", "computing_s")


def stage_resources(records: list[dict], c: RunConfig) -> dict[str, dict[str, str]]:
    """Return the table's row of each stage of a run, by stage."""
    times = {}
    for record in records:
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


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of a run, e.g. results/paper")
    parser.add_argument("--resources", type=Path, metavar="TABLE", help="renew its rows in workflow/resources.csv")
    arguments = parser.parse_args()
    records = read_records(arguments.folder)
    if arguments.resources:
        settings = json.loads((arguments.folder / "configuration.json").read_text(encoding="utf-8"))
        renew(arguments.resources, stage_resources(records, parse_config(settings)))
        return
    table = stage_times(records).round(1).reset_index()
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
