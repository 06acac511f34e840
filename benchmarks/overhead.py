"""Measure what the workflow itself costs beside its jobs: scheduling, start-up and tracking, in CPU seconds.

    python benchmarks/overhead.py results/overhead --of results/paper -- \\
        snakemake --cores all --configfile benchmarks/overhead.yaml

Runs the command and subtracts what the records of the jobs it made tell: what remains was spent by Snakemake, by the
shells of its jobs and by the importer, which tells its own time. Start-up of the jobs (Python and its imports) is in
the records. Results of an earlier run have to be removed first. `--of`: a finished run of the same graph, of whose
CPU time the shares are given.
"""

import argparse
import re
import resource
import subprocess
import sys
from pathlib import Path

from stage_times import read_records

from molap.storage.paths import RESULTS

IMPORTER_LOG = Path(RESULTS, ".tracking", "importer.log")


def importer_s() -> float:
    """CPU seconds of all importers until now, as their log tells."""
    text = IMPORTER_LOG.read_text(encoding="utf-8") if IMPORTER_LOG.exists() else ""
    return sum(float(time) for time in re.findall(r"importer ends after ([\d.]+) s", text))


def cpu_s(records: list[dict], part: str = "cpu_s") -> float:
    """Return a part of the CPU time of all jobs."""
    return sum(record["time"][part] for record in records)


def main() -> None:
    """Run the command and print the table as Markdown."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="of the run that the command makes, e.g. results/overhead")
    parser.add_argument("--of", type=Path, help="a finished run of the same graph")
    parser.add_argument("command", nargs="+", help="after --: the command")
    arguments = parser.parse_args()
    if arguments.folder.exists():
        sys.exit(f"{arguments.folder} exists: remove it first, so that every job runs")
    tracking_before = importer_s()
    if status := subprocess.run(arguments.command, check=False).returncode:
        sys.exit(status)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    records = read_records(arguments.folder)
    whole = read_records(arguments.of, without=("modules", "tune")) if arguments.of else records
    print(f"{len(records)} jobs measured, compared with {len(whole)} jobs of {arguments.of or arguments.folder}\n")
    tracking = importer_s() - tracking_before
    scheduling = usage.ru_utime + usage.ru_stime - tracking - cpu_s(records)
    parts = {"scheduling": scheduling, "start-up": cpu_s(whole, "startup_s"), "tracking": tracking}
    total = cpu_s(whole) + scheduling + tracking
    parts |= {"scheduling, start-up and tracking": sum(parts.values()), f"the whole run, {len(whole)} jobs": total}
    print("| part | CPU s | per job | share |\n|---|---|---|---|")
    for name, seconds in parts.items():
        print(f"| {name} | {seconds:.0f} | {seconds / len(whole):.2f} | {100 * seconds / total:.1f} % |")


if __name__ == "__main__":
    main()
