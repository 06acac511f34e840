"""The importer and MLflow servers: the same runs as in the embedded database, and science that goes on without them."""

import signal
import time

import pytest
from servers import postgres, server
from tracked_results import (
    active_runs,
    assert_complete,
    environment,
    finish,
    sync,
    tracking,
    write_record,
    write_results,
)

pytestmark = pytest.mark.services

N_JOBS = 40
IMPATIENT = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "3", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}


@pytest.fixture(scope="module")
def backend(request, tmp_path_factory):
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('backend') / 'server.db'}"
    else:
        with postgres() as uri:
            yield uri


@pytest.fixture(scope="module")
def running(backend, tmp_path_factory):
    with server(tmp_path_factory.mktemp("server"), backend) as it:
        yield it


def until_some_are_in(results, uri: str) -> None:
    deadline = time.time() + 60
    while time.time() < deadline:
        try:
            if len(active_runs(results, uri)) >= 5:
                return
        except LookupError:
            pass
        time.sleep(0.1)
    raise AssertionError("nothing was brought in")


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
class TestServer:
    def test_runs_are_brought_in_once_and_superseded(self, running, tmp_path):
        results = tmp_path / "results"
        write_results(results, 6, figure=b"not really a picture")
        for expected in ("6 jobs", "0 jobs"):
            code, out, error = sync(results, MLFLOW_TRACKING_URI=running.uri)
            assert code == 0 and out.startswith(expected), out + error
        assert f"{running.uri}/#/experiments/" in out
        write_record(results, 2, accuracy=75.0)
        assert sync(results, MLFLOW_TRACKING_URI=running.uri)[1].startswith("1 jobs")
        assert_complete(results, 6, 30, running.uri)
        table = active_runs(results, running.uri).set_index("tags.network_seeds")
        assert table.loc["2", "metrics.train/final_mse"] == 75

    def test_two_folders_do_not_disturb_each_other(self, running, tmp_path):
        for name in ("one", "two"):
            results = tmp_path / name / "results"
            write_results(results, 3)
            assert sync(results, MLFLOW_TRACKING_URI=running.uri)[0] == 0
        code, out, error = finish(tracking(tmp_path / "one" / "results", "rebuild", MLFLOW_TRACKING_URI=running.uri))
        assert code == 0 and out.startswith("3 jobs"), out + error
        for name in ("one", "two"):
            assert_complete(tmp_path / name / "results", 3, 30, running.uri)

    def test_a_server_that_hangs_costs_a_warning_and_a_later_sync_completes(self, running, tmp_path):
        results = tmp_path / "results"
        write_results(results, N_JOBS)
        process = tracking(results, "sync", MLFLOW_TRACKING_URI=running.uri, **IMPATIENT)
        until_some_are_in(results, running.uri)
        running.signal(signal.SIGSTOP)
        code, out, error = finish(process)
        assert code == 1 and f"{running.uri} does not answer" in error and error.count("\n") == 1, out + error
        running.signal(signal.SIGCONT)
        assert sync(results, MLFLOW_TRACKING_URI=running.uri)[0] == 0
        assert_complete(results, N_JOBS, 30, running.uri)

    def test_a_server_killed_during_an_import_and_started_again(self, running, tmp_path):
        results = tmp_path / "results"
        write_results(results, N_JOBS)
        process = tracking(results, "sync", MLFLOW_TRACKING_URI=running.uri, **IMPATIENT)
        until_some_are_in(results, running.uri)
        running.stop()
        code, out, error = finish(process)
        assert code == 1 and "does not answer" in error and error.count("\n") == 1, out + error
        running.start()
        assert sync(results, MLFLOW_TRACKING_URI=running.uri)[0] == 0
        assert_complete(results, N_JOBS, 30, running.uri)


def test_no_server_at_all_is_told_in_one_line_and_quickly(tmp_path):
    results = tmp_path / "results"
    write_results(results, 2)
    start = time.time()
    code, _, error = sync(results, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    assert code == 1 and time.time() - start < 20
    assert error == (
        "python -m molap.tracking sync: 2 jobs left out: "
        "http://127.0.0.1:9 does not answer ([Errno 111] Connection refused)\n"
    )


def test_a_server_that_refuses_the_address_answers_403(tmp_path):
    results = tmp_path / "results"
    write_results(results, 2)
    with server(tmp_path / "server", f"sqlite:///{tmp_path / 'x.db'}", "--allowed-hosts", "example.org") as refusing:
        code, _, error = sync(results, MLFLOW_TRACKING_URI=refusing.uri)
    assert code == 1 and "403" in error and "--allowed-hosts" in error and error.count("\n") == 1, error


def test_a_server_with_logins(tmp_path):
    results = tmp_path / "results"
    write_results(results, 2)
    settings = tmp_path / "auth.ini"
    settings.write_text(
        f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{tmp_path / 'auth.db'}\n"
        "admin_username = admin\nadmin_password = a-long-passphrase\n"
        "authorization_function = mlflow.server.auth:authenticate_request_basic_auth\n"
    )
    secrets = {"MLFLOW_FLASK_SERVER_SECRET_KEY": "any", "MLFLOW_AUTH_CONFIG_PATH": str(settings)}
    backend = f"sqlite:///{tmp_path / 'x.db'}"
    with server(tmp_path / "server", backend, "--app-name", "basic-auth", **secrets) as guarded:
        code, _, error = sync(results, MLFLOW_TRACKING_URI=guarded.uri)
        assert code == 1 and "MLFLOW_TRACKING_USERNAME" in error and error.count("\n") == 1, error
        login = {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": "a-long-passphrase"}
        code, out, error = sync(results, MLFLOW_TRACKING_URI=guarded.uri, **login)
        assert code == 0 and out.startswith("2 jobs"), out + error


def test_the_environment_goes_before_the_configuration(tmp_path):
    results = tmp_path / "results"
    write_results(results, 1)
    (tmp_path / "mine.yaml").write_text("name: mine\ntracking: {uri: 'http://127.0.0.1:9'}\n")
    code, _, error = sync(results, "--config", "mine.yaml")
    assert code == 1 and "127.0.0.1:9 does not" in error
    code, _, error = sync(results, "--config", "mine.yaml", MLFLOW_TRACKING_URI="http://127.0.0.1:7")
    assert code == 1 and "127.0.0.1:7 does not" in error
    code, _, error = sync(results, MLFLOW_TRACKING_URI="databricks")
    assert code == 1 and error.startswith(
        "python -m molap.tracking sync: MLFLOW_TRACKING_URI: 'databricks' is not allowed; give http"
    )
    assert "MLFLOW_TRACKING_URI" not in environment()
