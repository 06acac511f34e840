"""Cost of bringing records into MLflow: made-up jobs, each with two curves of 2,000 steps and a figure.

In one run: seconds of wall and CPU time, of the whole command with its start-up, for

- import: everything into a new embedded database;
- again: the same command when everything is known;
- naive: the same content by one MLflow call per curve point's batch of one run, without thinning (a few jobs, scaled).

    python benchmarks/tracking.py --jobs 500
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

from tracked_results import environment, write_results

FIGURE = (Path(__file__).parent.parent / "docs" / "reference" / "figures" / "fig1c.png").read_bytes()

NAIVE = """
import json, os, sys
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow
mlflow.set_tracking_uri("sqlite:///naive.db")
mlflow.set_experiment("naive")
for number in range(int(sys.argv[1])):
    record = json.load(open(f"results/demo/networks/s{number}/molap-cca/mem_pro.record.json"))
    with mlflow.start_run():
        mlflow.log_params(record["settings"])
        for name, curve in record["curves"].items():
            mlflow.MlflowClient().log_batch(
                mlflow.active_run().info.run_id,
                [mlflow.entities.Metric(name, value, 0, step) for step, value in enumerate(curve[0][:1000])],
            )
            mlflow.MlflowClient().log_batch(
                mlflow.active_run().info.run_id,
                [mlflow.entities.Metric(name, value, 0, 1000 + step) for step, value in enumerate(curve[0][1000:])],
            )
        mlflow.log_artifact(f"results/demo/networks/s{number}/molap-cca/mem_pro.png")
"""


def timed(folder: Path, *command: str) -> tuple[float, float]:
    """Wall and CPU seconds of a command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=500)
    parser.add_argument("--naive-jobs", type=int, default=25)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_results(folder / "results", arguments.jobs, n_points=2000, figure=FIGURE)
        found = {
            "import": timed(folder, "-m", "molap.tracking", "sync"),
            "again": timed(folder, "-m", "molap.tracking", "sync"),
        }
        size = sum(file.stat().st_size for file in (folder / "results" / "mlflow").glob("mlflow.db*")) / 1e6
        one = timed(folder, "-c", NAIVE, "1")
        more = timed(folder, "-c", NAIVE, str(1 + arguments.naive_jobs))
        scale = arguments.jobs / arguments.naive_jobs
        found["naive"] = tuple(scale * (b - a) for a, b in zip(one, more, strict=True))
    print(f"{arguments.jobs} jobs on {os.cpu_count()} cores: wall s, CPU s")
    for what, (wall, cpu) in found.items():
        print(f"{what:8}{wall:8.1f}{cpu:8.1f}")
    print(f"database {size:.0f} MB, {1e3 * found['import'][1] / arguments.jobs:.0f} ms of CPU per job")


if __name__ == "__main__":
    main()
