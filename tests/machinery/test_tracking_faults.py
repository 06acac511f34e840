"""Tracking says what is so: runs deleted in the UI, stores that cannot be used, the best by what a metric declares."""

import http.server
import sqlite3
import threading

import pandas as pd
import pytest
from tracked_results import sync_here, write_record, write_results

from molap.cli.main import loaded
from molap.config.tracking import TrackingSettings
from molap.jobs.command import run as run_command
from molap.storage.files import read_json, write_json
from molap.tracking.query import from_where_they_differ
from molap.tracking.values import MAX_PARAM, whole
from molap.tracking.where import place


def ask(capsys, folder, *words):
    """Run `molap WORDS` in this process; return its status, and the lines on standard output and error."""
    with pytest.raises(SystemExit) as end:
        run_command(loaded(words[0]), ["--results", str(folder / "results"), *words[1:]])
    out, err = capsys.readouterr()
    return end.value.code or 0, out.splitlines(), err.splitlines()


@pytest.fixture
def tracked(tmp_path):
    write_results(tmp_path / "results", 2)
    sync_here(tmp_path / "results")
    return tmp_path


def database(folder):
    return place(TrackingSettings(), folder / "results").database


def test_runs_deleted_in_the_ui_are_counted_and_lost_ones_brought_in_again(tracked, capsys):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{database(tracked)}")
    first, second = client.search_runs(["1"])
    client.delete_run(first.info.run_id)
    status, out, _ = ask(capsys, tracked, "sync")
    assert status == 0 and out[0].startswith("0 jobs brought in; ")
    assert out[0].endswith("but 1 runs that were deleted there (the UI restores them: State, Deleted)")
    client.restore_run(first.info.run_id)
    assert ask(capsys, tracked, "sync")[1][0].endswith("holds all records")
    client.set_tag(second.info.run_id, "results", "another folder's")  # as lost as after `mlflow gc`
    assert ask(capsys, tracked, "sync")[1][0].startswith("1 jobs brought in; ")


def test_a_job_that_lost_the_run_of_one_seed_is_brought_in_again(tmp_path, capsys):
    from mlflow import MlflowClient

    file = write_record(tmp_path / "results", 0)
    record = read_json(file)
    record["settings"]["seeds"] = [0, 1]
    record["metrics"]["final_mse"] *= 2
    record["curves"] = {name: values * 2 for name, values in record["curves"].items()}
    write_json(file, record)
    sync_here(tmp_path / "results")
    assert ask(capsys, tmp_path, "sync")[1][0].startswith("0 jobs brought in; ")
    client = MlflowClient(f"sqlite:///{database(tmp_path)}")
    one, _ = client.search_runs(["1"])
    client.set_tag(one.info.run_id, "results", "another folder's")  # as lost as after `mlflow gc`
    assert ask(capsys, tmp_path, "sync")[1][0].startswith("1 jobs brought in; ")
    assert len(client.search_runs(["1"])) == 3
    # A former attempt that failed has a run with a key of its own, which stands for no network seed.
    failed = client.create_run("1", tags=one.data.tags | {"job_key": one.data.tags["job"]})
    client.delete_run(failed.info.run_id)
    two = next(run for run in client.search_runs(["1"]) if run.data.tags["results"] != "another folder's")
    client.set_tag(two.info.run_id, "results", "another folder's")
    assert ask(capsys, tmp_path, "sync")[1][0].startswith("1 jobs brought in; ")
    assert ask(capsys, tmp_path, "sync")[1][0].startswith("0 jobs brought in; ")


def test_a_deleted_experiment_is_named_by_every_reader(tracked, capsys):
    from mlflow import MlflowClient

    MlflowClient(f"sqlite:///{database(tracked)}").delete_experiment("1")
    for words in (["best"], ["latest"], ["diff", "a", "b"], ["compare", "a", "b"], ["sync"]):
        status, out, err = ask(capsys, tracked, *words)
        assert (status, out, len(err)) == (1, [], 1)
        assert "experiment 'molap' was deleted in MLflow; restore it or change tracking.experiment" in err[0]


def test_a_password_is_not_printed(tracked, capsys, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@127.0.0.1:5999/x")
    status, out, err = ask(capsys, tracked, "best")
    assert (status, out, len(err)) == (1, [], 1) and "'…@127.0.0.1:5999/x' is not allowed" in err[0]


def test_long_values_are_shown_from_where_they_differ():
    sets = [["delay_pro", f"task{i}"] for i in range(30)]
    table = pd.DataFrame({"field": ["a", "b"], "one": [str(sets), "x"], "other": [str([*sets[:-1], ["no"]]), None]})
    shown = from_where_they_differ(table, 60).set_index("field")
    assert shown.one["a"].startswith("…") and "'delay_pro', 'task29'" in shown.one["a"]
    assert "['no']" in shown.other["a"] and len(shown.other["a"]) < 60
    longer = pd.DataFrame({"field": ["a"], "one": ["a" * 160], "other": ["a" * 163]})
    assert len({*from_where_they_differ(longer, 60).iloc[0, 1:]}) == 2
    assert shown.one["b"] == "x" and table.one[0] == str(sets)


READERS = (["best"], ["latest"], ["diff", "a", "b"], ["compare", "a", "b"], ["sync"])


def damaged(path):
    path.write_bytes(b"no database at all " * 100)


def empty(path):
    path.write_bytes(b"")


def newer(path):
    connection = sqlite3.connect(path)
    connection.execute("update alembic_version set version_num = 'ffffffffffff'")
    connection.commit()
    connection.close()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("breaks", "reason"),
    [
        (damaged, "is damaged (file is not a database); `molap rebuild` makes it again"),
        (empty, "is no database of MLflow (no such table: alembic_version); `molap rebuild`"),
        (
            newer,
            "is of a newer MLflow than the installed one (schema ffffffffffff); install that",
        ),
    ],
)
def test_a_database_that_cannot_be_used_is_told_in_one_line_and_rebuilt(tmp_path, capsys, breaks, reason):
    write_results(tmp_path / "results", 1)
    path = database(tmp_path)
    path.parent.mkdir(parents=True)
    connection = sqlite3.connect(path)
    connection.execute("create table alembic_version (version_num text)")
    connection.execute("create table experiments (name text)")
    connection.execute("insert into alembic_version values ('1')")
    connection.commit()
    connection.close()
    breaks(path)
    for words in (*READERS, ["ui", "--port", "1024"]):
        status, out, err = ask(capsys, tmp_path, *words)
        assert (status, out, len(err)) == (1, [], 1) and reason in err[0], (words, out, err)
    assert ask(capsys, tmp_path, "rebuild")[:2][0] == 0
    assert ask(capsys, tmp_path, "latest")[0] == 0


class Answers(http.server.BaseHTTPRequestHandler):
    """A server that is well, by its own word, and answers everything else with a page."""

    def do_GET(self):
        body = b"OK" if self.path == "/health" else b"<html>\nno such thing\n</html>"
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.mark.exhaustive
def test_a_server_that_is_away_or_no_mlflow_is_told_in_one_line(tmp_path, capsys, monkeypatch):
    write_results(tmp_path / "results", 1)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        uri = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        for words in READERS:
            status, out, err = ask(capsys, tmp_path, *words)
            assert (status, out, len(err)) == (1, [], 1) and "Traceback" not in err[0], (words, err)
        server.shutdown()
    for words in (*READERS, ["rebuild"]):
        status, out, err = ask(capsys, tmp_path, *words)
        assert (status, out, len(err)) == (1, [], 1) and f"{uri} does not answer" in err[0], (words, err)
        assert "0 jobs left out" not in err[0]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///tmp")
    assert "MLFLOW_TRACKING_URI: 'file:///tmp' is not allowed" in ask(capsys, tmp_path, "best")[2][0]


def test_a_folder_that_is_not_there_is_not_made(tmp_path, capsys):
    for words in (*READERS, ["rebuild"], ["ui"]):
        status, _, err = ask(capsys, tmp_path, *words)
        assert status == 1 and len(err) == 1, (words, err)
    assert not (tmp_path / "results").exists()


def test_the_best_is_what_the_metric_s_definition_says(tmp_path, capsys):
    for number, value in enumerate((20.0, 60.0)):
        path = write_record(tmp_path / "results", number)
        ways = {"decision_accuracy": "higher", "final_mse": "lower"}
        changes = {"metrics": {"decision_accuracy": value, "final_mse": value, "odd": value}, "better": ways}
        write_json(path, read_json(path) | changes)
    sync_here(tmp_path / "results")

    def values(*words):
        status, out, err = ask(capsys, tmp_path, "best", *words)
        return [float(line.split()[out[0].split().index(words[1])]) for line in out[1:]] if status == 0 else err

    assert values("--metric", "train/decision_accuracy") == [60, 20]
    assert values("--metric", "train/final_mse") == [20, 60]
    assert values("--metric", "train/final_mse", "--first", "highest") == [60, 20]
    assert [line.partition(": ")[2] for line in values("--metric", "train/odd")] == [
        "nothing says which values of 'train/odd' are better; give --first highest or --first lowest"
    ]
    assert values("--metric", "time/cpu_s") == [9, 9]


@pytest.mark.exhaustive
@pytest.mark.parametrize("metric", ["a`b", "a'b", "", "x" * 300, "a\nb", "café"])
def test_no_name_of_a_metric_is_a_condition(tracked, capsys, metric):
    status, out, err = ask(capsys, tracked, "best", "--metric", metric)
    assert (status, out, len(err)) == (1, [], 1), (out, err)
    status, out, err = ask(capsys, tracked, "latest", "--task", metric or "'")
    assert (status, out, len(err)) == (1, [], 1), (out, err)


def test_parameters_are_whole_and_two_that_differ_do_so():
    sets = [[f"task{i}"] for i in range(200)]
    assert whole(str(sets)) == str(sets) and len(str(sets)) > 500
    one, other = whole("a" * 7000 + "b"), whole("a" * 7000 + "c")
    assert len(one) == len(other) == MAX_PARAM and one != other and "7001 characters" in one


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", ["a b", "p#1", "p%41", "p&q", "é", "a\nb", "it's", 'q"q'])
def test_results_may_lie_anywhere(tmp_path, capsys, name):
    write_results(tmp_path / name / "results", 1)
    status, out, err = ask(capsys, tmp_path / name, "sync")
    assert (status, err) == (0, []) and out[0].startswith("1 jobs brought in; ")
    assert database(tmp_path / name).is_file() and ask(capsys, tmp_path / name, "latest")[0] == 0


def test_a_folder_whose_name_ends_an_address_is_refused(tmp_path, capsys):
    write_results(tmp_path / "p?x=1" / "results", 1)
    status, out, err = ask(capsys, tmp_path / "p?x=1", "sync")
    assert (status, out, len(err)) == (1, [], 1) and "cannot open a database in a folder with '?' in its name" in err[0]
    assert [entry.name for entry in tmp_path.iterdir()] == ["p?x=1"]
