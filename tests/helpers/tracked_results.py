"""A results folder of made-up records in the form that jobs write, and what a store holds of it."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from molap.config.tracking import TrackingSettings
from molap.storage.files import write_json, write_table
from molap.tracking.importer import Outcome
from molap.tracking.importer import sync as importer_sync
from molap.tracking.scan import identity
from molap.tracking.where import Place, place

GIT = {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False}


def write_record(results: Path, number: int, accuracy: float = 50.0, n_points: int = 30, figure: bytes = b"") -> Path:
    """The record of a head's training with its curves; with a figure where its bytes are given."""
    base = results / "demo" / "networks" / f"s{number}" / "molap-cca" / "mem_pro"
    loss = np.linspace(2, 0.1, n_points) + number / 1000
    outputs = {"arrays": f"results/{base.relative_to(results)}.npz"}
    if figure:
        base.parent.mkdir(parents=True, exist_ok=True)
        base.with_suffix(".png").write_bytes(figure)
        outputs["png"] = f"results/{base.relative_to(results)}.png"
    record = {
        "stage": "head",
        "settings": {"source": "cca", "task": "mem_pro", "seeds": [number], "phase": {"n_steps": n_points}},
        "inputs": {},
        "outputs": outputs,
        "metrics": {"final_mse": [accuracy], "n_trained": 600} | {f"value{i}": float(i + number) for i in range(20)},
        "curves": {"loss": [loss.tolist()], "mse": [(loss / 2).tolist()]},
        "time": {"start": 1.7e9 + number, "end": 1.7e9 + number + 10, "wall_s": 10.0, "cpu_s": 9.0},
        "versions": {"jax": "1.0"},
        "code": "abc",
        "git": GIT,
    }
    path = base.with_suffix(".record.json")
    write_json(path, record)
    return path


def write_results(results: Path, n_jobs: int, **more) -> None:
    for number in range(n_jobs):
        write_record(results, number, **more)


def write_performance(results: Path, preset: str, accuracy: float, n_steps: int) -> None:
    """The jobs of a preset that a comparison of presets reads."""
    import pandas as pd

    rows = [("separate", "-", accuracy - 20), ("molap", "cca", accuracy)]
    table = pd.DataFrame(
        [
            {"strategy": strategy, "source": source, "task": "mem_pro", "network_seed": seed, "accuracy": value + seed}
            for strategy, source, value in rows
            for seed in (0, 2)
        ]
    )
    write_table(results / preset / "tables" / "performance.csv", table)
    about = {"inputs": {}, "metrics": {}, "time": {"start": 1.7e9, "end": 1.7e9 + 1}, "code": "abc", "git": GIT}
    output = f"results/{preset}/tables/performance.csv"
    record = about | {"stage": "performance", "settings": {"run": preset}, "outputs": {"table": output}}
    write_json(results / preset / "tables" / "performance.record.json", record)
    settings = {"name": preset, "heads": {"n_steps": n_steps}, "seeds": {"networks": 2}}
    write_json(results / preset / "configuration.json", settings)
    output = f"results/{preset}/configuration.json"
    record = about | {"stage": "configuration", "settings": settings, "outputs": {"json": output}}
    write_json(results / preset / "configuration.record.json", record)


def tracking(results: Path, *arguments: str, **variables: str) -> subprocess.Popen:
    """Start a tracking command as a user would, in the folder above the results."""
    return subprocess.Popen(
        [sys.executable, "-m", "molap.tracking", *arguments],
        cwd=results.parent,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def environment(**variables: str) -> dict[str, str]:
    """Ours, without a server that the machine may name, and with bytecode."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "MLFLOW_TRACKING_URI")}
    return kept | variables


def finish(process: subprocess.Popen, timeout: float = 120) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=timeout)
    return process.returncode, out, err


def sync(results: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    return finish(tracking(results, *arguments, "sync", **variables))


def sync_here(results: Path) -> Outcome:
    """The same within this process, which has MLflow loaded; the command line is tested where it is what is tested."""
    importer, outcome = importer_sync(TrackingSettings(), results)
    assert importer.experiment_id == "1"
    return outcome


def active_runs(results: Path, uri: str | None = None):
    """All active runs of the folder as MLflow's own search gives them."""
    from molap.tracking.store import search

    where = Place(uri, "molap", None) if uri else place(TrackingSettings(), results)
    return search(where, f"tags.results = '{identity(results)}'", "start_time ASC", None)


def assert_complete(results: Path, n_jobs: int, n_points: int, uri: str | None = None) -> None:
    """Each job has exactly one active run, whole."""
    from mlflow import MlflowClient

    table = active_runs(results, uri)
    assert sorted(table["tags.job"]) == sorted({f"demo/networks/s{i}/molap-cca/mem_pro" for i in range(n_jobs)})
    assert set(table.status) == {"FINISHED"}
    assert (table["metrics.train/n_trained"] == 600).all() and table["params.phase.n_steps"].notna().all()
    client = MlflowClient(uri or place(TrackingSettings(), results).uri)
    for run_id in table.run_id.sample(min(5, n_jobs), random_state=0):
        assert [m.step for m in client.get_metric_history(run_id, "train/loss")] == list(range(1, n_points + 1))
        assert "record.json" in {file.path for file in client.list_artifacts(run_id)}
