"""Where the time of a finished run went: start-up, compilation and computing by stage, from its records.

    python benchmarks/stage_times.py results/paper
    python benchmarks/stage_times.py results/paper --resources > workflow/resources.csv

CPU seconds: start-up until the settings were read (Python and its imports), compilation as JAX measures it, computing
all else. `--resources`: the largest job of each stage, from which the workflow takes what it asks a cluster for, and
the mean one, from which it expects how long a run takes.
Jobs of runs inside the run (`without/`, `modules/`, `tune/`) are counted with their stage.
"""

import argparse
import math
import statistics
from pathlib import Path

from molap.provenance import read_records, stage_times


def stage_resources(records: list[dict]) -> str:
    """CSV: peak memory and CPU time of the largest job of each stage, in MB and seconds, and what a mean job takes."""
    times = {}
    for record in records:
        times.setdefault(record["stage"], []).append(record["time"])
    lines = ["stage,memory_mb,cpu_s,overhead_s,computing_s"]
    for stage, of in sorted(times.items()):
        largest = [math.ceil(max(time[name] for time in of)) for name in ("peak_memory_mb", "cpu_s")]
        overhead = statistics.mean(time["startup_s"] + time["compilation_s"] for time in of)
        computing = max(statistics.mean(time["cpu_s"] for time in of) - overhead, 0)
        lines.append(f"{stage},{largest[0]},{largest[1]},{overhead:.1f},{computing:.1f}")
    return "".join(f"{line}\n" for line in lines)


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of a run, e.g. results/paper")
    parser.add_argument("--resources", action="store_true", help="print its jobs by stage, as CSV")
    arguments = parser.parse_args()
    records = read_records(arguments.folder)
    if arguments.resources:
        print(stage_resources(records), end="")
        return
    table = stage_times(records).round(1).reset_index()
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
