"""The importer and its embedded database: complete, without duplicates, whatever happens to it."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tracked_results import (
    active_runs,
    assert_complete,
    environment,
    finish,
    sync,
    sync_here,
    tracking,
    write_performance,
    write_record,
    write_results,
)

from molap.config.tracking import TrackingSettings
from molap.tracking.importer import Outcome
from molap.tracking.launch import Tracking
from molap.tracking.query import compare
from molap.tracking.where import place

REPOSITORY = Path(__file__).parents[2]
FIGURE = (REPOSITORY / "docs" / "reference" / "figures" / "fig1c.png").read_bytes()


def rows(results: Path, query: str) -> list[tuple]:
    with sqlite3.connect(results / "mlflow" / "mlflow.db") as connection:
        return connection.execute(query).fetchall()


def states(results: Path) -> dict[str, int]:
    return dict(rows(results, "select lifecycle_stage, count(*) from runs group by 1"))


@pytest.fixture
def results(tmp_path) -> Path:
    folder = tmp_path / "results"
    write_results(folder, 3)
    return folder


@pytest.mark.exhaustive
def test_what_is_known_is_not_imported_again(results):
    assert sync(results)[0] == 0
    assert_complete(results, 3, 30)
    code, out, _ = sync(results)
    assert code == 0 and out.startswith("0 jobs brought in")
    assert states(results) == {"active": 3}


@pytest.mark.exhaustive
def test_a_workflow_that_is_over_before_the_importer_has_started_is_imported(results, monkeypatch):
    monkeypatch.chdir(results.parent)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    tracking = Tracking(TrackingSettings())
    tracking.start()
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before
    tracking.finish()
    assert_complete(results, 3, 30)


def test_without_its_memory_the_importer_asks_the_store(results):
    sync_here(results)
    (results / ".tracking" / "known.json").unlink()
    assert sync_here(results) == Outcome(3, 0)
    assert states(results) == {"active": 3}


def test_a_stage_that_is_run_again_supersedes_its_former_run(results):
    sync_here(results)
    write_record(results, 1, accuracy=75.0)
    assert sync_here(results) == Outcome(1, 0)
    assert_complete(results, 3, 30)
    assert states(results) == {"active": 3, "deleted": 1}
    table = active_runs(results).set_index("tags.network_seeds")
    assert table.loc["1", "metrics.train/final_mse"] == 75 and table.loc["0", "metrics.train/final_mse"] == 50
    from mlflow import MlflowClient

    (former,) = rows(results, "select run_uuid from runs where lifecycle_stage = 'deleted'")[0]
    client = MlflowClient(f"sqlite:///{results / 'mlflow' / 'mlflow.db'}")
    client.restore_run(former)
    assert client.get_run(former).data.metrics["train/final_mse"] == 50


@pytest.mark.exhaustive
def test_the_database_can_be_thrown_away_and_rebuilt(results):
    sync(results)
    before = active_runs(results)
    for path in (results / "mlflow").glob("mlflow.db*"):
        path.unlink()
    assert sync(results)[1].startswith("3 jobs brought in")
    assert finish(tracking(results, "rebuild"))[0] == 0
    after = active_runs(results)
    unlike = ["run_id", "artifact_uri"]
    pairs = [table.drop(columns=unlike).sort_values("tags.job_key", ignore_index=True) for table in (before, after)]
    assert pairs[0].sort_index(axis=1).equals(pairs[1].sort_index(axis=1))


def test_a_damaged_record_is_named_and_holds_up_nothing_else(results):
    damaged = write_record(results, 3)
    damaged.write_text(damaged.read_text()[:100])
    code, _, error = sync(results)
    assert code == 1 and f"{damaged.relative_to(results.parent)} is damaged" in error and error.count("\n") == 1
    assert states(results) == {"active": 3}


def test_runs_and_curves_keep_their_times(results):
    sync_here(results)
    table = active_runs(results).set_index("tags.network_seeds")
    assert (
        table.loc["2", "start_time"].timestamp() == 1.7e9 + 2 and table.loc["2", "end_time"].timestamp() == 1.7e9 + 12
    )
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{results / 'mlflow' / 'mlflow.db'}")
    history = client.get_metric_history(table.loc["2", "run_id"], "train/mse")
    assert history[0].timestamp > 1_700_000_002_000 and history[-1].timestamp == 1_700_000_012_000


@pytest.mark.exhaustive
def test_sixteen_jobs_that_end_at_once_are_all_brought_in(tmp_path):
    results = tmp_path / "results"
    results.mkdir()
    workflow = subprocess.Popen(["sleep", "120"])
    start = "from molap.tracking.importer import watch; from molap.config.tracking import TrackingSettings as T;"
    start += "import os; from pathlib import Path; watch(T(interval_s=1), Path('results'), os.getppid(), print)"
    watcher = subprocess.Popen([sys.executable, "-c", start], cwd=tmp_path, env=environment())
    write = "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path; import tracked_results as t\n"
    write += "sys.stdin.read(1); t.write_record(Path('results'), int(sys.argv[2]))"
    jobs = [
        subprocess.Popen(
            [sys.executable, "-c", write, str(REPOSITORY / "tests" / "helpers"), str(i)],
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            env=environment(),
        )
        for i in range(16)
    ]
    for job in jobs:
        job.stdin.write(b"x")
        job.stdin.close()
    assert [job.wait(60) for job in jobs] == [0] * 16
    deadline = time.time() + 60
    while not (results / ".tracking" / "known.json").exists() and time.time() < deadline:
        time.sleep(0.2)
    watcher.send_signal(signal.SIGTERM)
    assert watcher.wait(60) == 0
    workflow.kill()
    assert_complete(results, 16, 30)
    assert states(results) == {"active": 16}


@pytest.mark.exhaustive
def test_killed_at_twenty_random_moments_it_loses_and_duplicates_nothing(tmp_path):
    results, n_jobs = tmp_path / "results", 60
    write_results(results, n_jobs, figure=FIGURE)
    moments, killed = random.Random(0), 0
    for attempt in range(20):
        process = tracking(results, "sync")
        time.sleep(moments.uniform(0.5, 3.5))
        if attempt == 10:
            write_record(results, 0, accuracy=80.0, figure=FIGURE)
        killed += process.poll() is None
        process.kill()
        process.communicate()
    assert killed >= 5, "the importer was done before it could be killed"
    code, out, error = sync(results)
    assert code == 0, out + error
    assert_complete(results, n_jobs, 30)
    assert active_runs(results).set_index("tags.network_seeds").loc["0", "metrics.train/final_mse"] == 80
    left = [path.name for path in (results / "mlflow").iterdir() if path.name.startswith(".new")]
    assert sync(results)[1].startswith("0 jobs") and len(left) <= killed


def test_a_second_importer_waits_for_no_one_and_says_so(results):
    hold = "from molap.tracking.scan import importer_lock; from pathlib import Path; import sys\n"
    hold += "with importer_lock(Path('results')): print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold], cwd=results.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    code, _, error = sync(results)
    holder.communicate("")
    assert (
        code == 1
        and error == f"python -m molap.tracking sync: another importer (process {holder.pid}) is at work on results/\n"
    )


@pytest.mark.parametrize("age", [1, 12])
def test_a_database_of_an_older_schema_is_upgraded_and_kept(results, age):
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db.utils import _get_alembic_config, create_sqlalchemy_engine
    from mlflow.store.tracking.dbmodels.initial_models import Base

    database = results / "mlflow" / "mlflow.db"
    database.parent.mkdir(parents=True)
    uri = f"sqlite:///{database}"
    engine = create_sqlalchemy_engine(uri)
    Base.metadata.create_all(engine)
    config = _get_alembic_config(uri)
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revisions[age])
    engine.dispose()
    assert rows(results, "select version_num from alembic_version") == [(revisions[age],)]
    assert sync_here(results) == Outcome(3, 0)
    assert rows(results, "select version_num from alembic_version") == [(revisions[0],)]
    assert_complete(results, 3, 30)
    assert rows(results, "pragma journal_mode") == [("wal",)]


def test_readers_are_not_locked_out_while_the_importer_writes(results):
    sync_here(results)
    assert rows(results, "pragma journal_mode") == [("wal",)]


@pytest.mark.exhaustive
def test_two_presets_are_compared_by_settings_and_accuracy(tmp_path):
    results = tmp_path / "results"
    write_performance(results, "one", accuracy=90, n_steps=100)
    write_performance(results, "two", accuracy=95, n_steps=200)
    assert sync_here(results) == Outcome(4, 0)
    settings, performance = compare(place(TrackingSettings(), results), "one", "two")
    assert settings.to_dict("records") == [
        {"field": "params.heads.n_steps", "one": "100", "two": "200"},
        {"field": "params.name", "one": "one", "two": "two"},
    ]
    means = performance.set_index(["strategy", "source", "task"]).sort_index()
    assert means.loc[("molap", "cca", "mem_pro")].to_dict() == {
        "accuracy one": 91, "n_seeds one": 2, "accuracy two": 96, "n_seeds two": 2, "difference": 5
    }  # fmt: skip
    assert means.loc[("separate", "-", "mem_pro"), "difference"] == 5
    code, out, error = finish(tracking(results, "compare", "one", "two"))
    assert code == 0 and "params.heads.n_steps" in out and "separate" in out, error


@pytest.mark.exhaustive
def test_an_experiment_that_was_deleted_is_named(results):
    sync_here(results)
    from mlflow import MlflowClient

    MlflowClient(f"sqlite:///{results / 'mlflow' / 'mlflow.db'}").delete_experiment("1")
    write_record(results, 7)
    code, _, error = sync(results)
    assert code == 1 and "experiment 'molap' was deleted in MLflow; restore it or change tracking.experiment" in error


def test_a_job_refused_for_its_settings_is_shown_as_failed_and_holds_up_nothing(results):
    command = [sys.executable, "-m", "molap.stages.evaluation", "--settings", '{"kind": 3, "task": ["a"], "seeds": 1}']
    command += ["--output", "rows=results/demo/refused.json"]
    refused = subprocess.run(command, cwd=results.parent, env=environment(), capture_output=True, text=True)
    assert refused.returncode == 1 and "kind: 3 is not allowed" in refused.stderr
    assert sync_here(results) == Outcome(4, 0)
    table = active_runs(results).set_index("tags.job")
    assert table.loc["demo/refused", "status"] == "FAILED"
    assert table.loc["demo/refused", "tags.error"].startswith("ConfigError: kind: 3 is not allowed")
