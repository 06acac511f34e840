"""Where the time of a finished run went: start-up, compilation and computing by stage, from its records.

    python benchmarks/stage_times.py results/paper
    python benchmarks/stage_times.py results/paper --resources > workflow/resources.csv

CPU seconds: start-up until the settings were read (Python and its imports), compilation as JAX measures it, computing
all else. `--resources`: the largest job of each stage, from which the workflow takes what it asks a cluster for.
Jobs of runs inside the run (`without/`, `modules/`, `tune/`) are counted with their stage.
"""

import argparse
import json
import math
from pathlib import Path

import pandas as pd

COLUMNS = ["jobs", "startup_s", "compilation_s", "computing_s", "cpu_s", "share", "largest_memory_mb"]


def stage_times(folder: Path) -> pd.DataFrame:
    """Sums of seconds by stage, their share of the whole in percent, and the largest peak memory."""
    rows = []
    for file in folder.rglob("*.record.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        rows.append({"stage": record["stage"]} | record["time"])
    table = pd.DataFrame(rows)
    table["computing_s"] = table.cpu_s - table.startup_s - table.compilation_s
    groups = table.groupby("stage")
    found = groups[["startup_s", "compilation_s", "computing_s", "cpu_s"]].sum()
    found["jobs"], found["largest_memory_mb"] = groups.size(), groups.peak_memory_mb.max()
    found.loc["all"] = found.sum()
    found.loc["all", "largest_memory_mb"] = table.peak_memory_mb.max()
    found["share"] = 100 * found.cpu_s / found.cpu_s["all"]
    return found[COLUMNS].sort_values("cpu_s", ascending=False).astype({"jobs": int})


def stage_resources(folder: Path) -> str:
    """CSV: peak memory and CPU time of the largest job of each stage, in MB and seconds."""
    times = {}
    for file in folder.rglob("*.record.json"):
        record = json.loads(file.read_text(encoding="utf-8"))
        times.setdefault(record["stage"], []).append(record["time"])
    largest = {
        stage: [math.ceil(max(time[name] for time in of)) for name in ("peak_memory_mb", "cpu_s")]
        for stage, of in sorted(times.items())
    }
    return "stage,memory_mb,cpu_s\n" + "".join(f"{stage},{mb},{cpu}\n" for stage, (mb, cpu) in largest.items())


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of a run, e.g. results/paper")
    parser.add_argument("--resources", action="store_true", help="print the largest job of each stage, as CSV")
    arguments = parser.parse_args()
    if arguments.resources:
        print(stage_resources(arguments.folder), end="")
        return
    table = stage_times(arguments.folder).round(1).reset_index()
    print("| " + " | ".join(table.columns) + " |\n|" + "---|" * len(table.columns))
    for row in table.itertuples(index=False):
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
