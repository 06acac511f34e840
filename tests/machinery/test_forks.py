"""Jobs as forks of a server: as if each had started by itself, also where it is killed or nobody answers."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from molap.jobs.forks import Forks

ROOT = Path(__file__).parents[2]

SHOWS = """
import json, os, sys
print(json.dumps({"arguments": sys.argv[1:], "folder": os.getcwd(), "name": __name__, "variable": os.environ.get("V"),
                  "numpy": "numpy" in sys.modules,
                  "molap": [m.__file__ for n, m in sys.modules.items() if n.split(".")[0] == "molap"]}))
print(sys.stdin.read(), file=sys.stderr)
sys.exit(int(sys.argv[1]))
"""
WAITS = """
import os, signal, sys, time
try:
    print(os.getpid(), flush=True)
    for _ in range(12_000):
        time.sleep(0.05)  # a signal that comes just before one long sleep would not interrupt it
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(7)
"""


PROGRAMS = {
    "shows": SHOWS,
    "waits": WAITS,
    "silent": "import sys\nsys.exit(5)\n",
    "writes": "open('written', 'w').close()\n",
}
SHOWN = Path("molap/stages/shows.py")


def write_programs(folder):
    """Programs of the test's own, under the name of the package's."""
    stages = folder / "molap" / "stages"
    stages.mkdir(parents=True)
    for file in (stages.parent / "__init__.py", stages / "__init__.py"):
        file.touch()
    for name, text in PROGRAMS.items():
        (stages / f"{name}.py").write_text(text)
    return folder


@contextlib.contextmanager
def serving(folder):
    """A started server: its prefix, its process."""
    forks, before = Forks(), set(psutil.Process().children())
    with pytest.MonkeyPatch.context() as patch, contextlib.chdir(folder):
        patch.delenv("MOLAP_FORKS", raising=False)
        prefix = forks.start()
    (process,) = set(psutil.Process().children()) - before
    yield prefix, process
    forks.finish()
    assert not process.is_running()


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture
def server(one_for_all, tmp_path, monkeypatch):
    """The server that all tests ask. The programs lie in the folder of the test, not of the server."""
    monkeypatch.chdir(write_programs(tmp_path / "jobs"))
    return one_for_all


def run(prefix, words, **options):
    return subprocess.run(
        ["bash", "-c", f"{prefix}V=1 python -m molap.stages.{words}"],
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def start(prefix):
    """A process that asked for `waits`, and the fork that does it."""
    asks = subprocess.Popen(["bash", "-c", f"{prefix}python -m molap.stages.waits"], stdout=subprocess.PIPE, text=True)
    return asks, psutil.Process(int(asks.stdout.readline()))


def wait(fork):
    deadline = time.time() + 60
    with contextlib.suppress(psutil.NoSuchProcess):  # it may end between two questions
        while fork.is_running() and fork.status() != psutil.STATUS_ZOMBIE:
            assert time.time() < deadline, "it still runs"
            time.sleep(0.01)


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every job starts by itself")


def test_a_job_has_its_arguments_folder_environment_streams_and_status(server):
    prefix, process = server
    result = run(prefix, "shows 3 'a b' é", input="text")
    assert result.returncode == 3
    assert result.stderr == "text\n"
    shown = eval(result.stdout.replace("true", "True"))  # JSON that this file's program wrote
    assert shown["numpy"], "nothing was imported beforehand"
    assert all(file.startswith(os.getcwd()) for file in shown["molap"]), "the package's source must be read by the job"
    assert (shown["arguments"], shown["folder"]) == (["3", "a b", "é"], os.getcwd())
    assert (shown["name"], shown["variable"]) == ("__main__", "1")
    assert psutil.Process(process.pid).num_threads() == 1


def test_a_job_runs_the_source_of_its_moment(server):
    prefix, _ = server
    assert run(prefix, "shows 0").returncode == 0
    SHOWN.write_text("raise SystemExit('changed')\n")
    os.utime(SHOWN, (1, 1))
    result = run(prefix, "shows 0")
    assert (result.returncode, result.stderr) == (1, "changed\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_reaches_the_job(server, number):
    asks, fork = start(server[0])
    assert fork.ppid() == server[1].pid
    asks.send_signal(number)
    wait(fork)
    status = asks.wait(60)
    if number == signal.SIGINT:
        assert (status, asks.stdout.read()) == (7, "interrupted\n")
    else:
        assert status in (128 + number, -number)


LATE = """
import signal, sys, threading
from pathlib import Path
from molap.jobs.forks import ask

def signals():
    while not Path("now").exists():
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

threading.Thread(target=signals, daemon=True).start()
ask(sys.argv[1], ["-m", "molap.stages.waits"])
"""


def test_a_signal_that_does_not_interrupt_the_waiting_is_passed_on_too(server):
    """As one does that comes just before the waiting, and here one that comes to another thread."""
    socket = server[0].split(" ask ")[1].split()[0]
    command = [sys.executable, "-P", "-c", LATE, socket]  # not the package in this folder
    asks = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(ROOT)})
    fork = psutil.Process(int(asks.stdout.readline()))
    Path("now").touch()
    wait(fork)
    assert asks.wait(60) == 128 + signal.SIGTERM


def test_signals_come_to_the_thread_that_runs_the_job(server):
    """Python's handlers run there, and no other thread's signal would interrupt what it waits for."""
    asks, fork = start(server[0])
    first, second = sorted(thread.id for thread in fork.threads())
    masks = []
    for thread in (first, second):
        (line,) = re.findall(r"SigBlk:\s*(\w+)", Path(f"/proc/{fork.pid}/task/{thread}/status").read_text())
        masks.append({number for number in signal.Signals if int(line, 16) >> (number - 1) & 1})
    assert first == fork.pid
    assert masks == [set(), {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}]
    asks.kill()
    wait(fork)


def test_a_job_stops_and_goes_on_with_the_process_that_asked(server):
    asks, fork = start(server[0])
    for number, state in ((signal.SIGTSTP, psutil.STATUS_STOPPED), (signal.SIGCONT, psutil.STATUS_SLEEPING)) * 2:
        asks.send_signal(number)
        for process in (fork, psutil.Process(asks.pid)):
            deadline = time.time() + 60
            while process.status() != state:
                assert time.time() < deadline, (number, process.status())
                time.sleep(0.01)
    asks.send_signal(signal.SIGINT)
    assert asks.wait(60) == 7


def test_a_fork_that_is_killed_counts_as_killed(server):
    asks, fork = start(server[0])
    fork.kill()
    wait(fork)
    assert asks.wait(60) == 128 + signal.SIGKILL


def test_without_an_answer_the_job_starts_by_itself(tmp_path, monkeypatch):
    with serving(tmp_path) as (prefix, process):
        process.kill()
        process.wait(60)
        monkeypatch.chdir(write_programs(tmp_path / "jobs"))
        result = run(prefix, "shows 3", input="")
    assert result.returncode == 3
    assert '"numpy": false' in result.stdout


def test_the_server_ends_with_the_process_that_started_it(tmp_path):
    text = "import time; from molap.jobs.forks import Forks; f = Forks()\n"
    text += "print(f.start()); print(f._server.pid, flush=True); time.sleep(600)"
    starts = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    prefix, _, pid, *_ = (starts.stdout.readline() for _ in range(3))
    folder = Path(prefix.split(" ask ")[1].split()[0]).parent
    process = psutil.Process(int(pid))
    assert folder.is_dir()
    starts.kill()
    starts.wait()
    wait(process)
    assert not folder.exists()


def test_a_stopped_fork_ends_with_its_workflow(tmp_path, monkeypatch):
    """Ctrl-Z, then a kill of the whole workflow: nothing may keep the lock of the job's output."""
    monkeypatch.chdir(tmp_path)
    text = "import time; from molap.jobs.forks import Forks; f = Forks(); print(f.start(), end='', flush=True)"
    starts = subprocess.Popen([sys.executable, "-c", text + "; time.sleep(600)"], stdout=subprocess.PIPE, text=True)
    monkeypatch.chdir(write_programs(tmp_path / "jobs"))
    asks, fork = start(starts.stdout.readline())
    asks.send_signal(signal.SIGTSTP)
    deadline = time.time() + 60
    while fork.status() != psutil.STATUS_STOPPED:
        assert time.time() < deadline
        time.sleep(0.01)
    asks.kill()
    starts.kill()
    wait(fork)


def test_other_uses_of_python_are_left_alone(server):
    prefix, _ = server
    command = f"{prefix}python -c 'print(1)'; python other.py; echo after"
    Path("other.py").write_text("print(2)\n")
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (0, "1\n2\nafter\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_stay_apart_from_the_connection(server, closed):
    command = f"{server[0]}python -m molap.stages.silent {closed}"
    assert subprocess.run(["bash", "-c", command], timeout=60).returncode == 5


def test_the_mask_of_new_files_is_the_job_s(server):
    subprocess.run(["bash", "-c", f"umask 077; {server[0]}python -m molap.stages.writes"], check=True, timeout=60)
    assert Path("written").stat().st_mode & 0o777 == 0o600


def test_where_a_socket_has_no_place_jobs_start_by_themselves(tmp_path, monkeypatch):
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    forks = Forks()
    assert forks.start() == "" and not list(folder.iterdir())
    forks.finish()


def test_switched_off_nothing_starts(monkeypatch):
    monkeypatch.setenv("MOLAP_FORKS", "off")
    before = psutil.Process().children()
    forks = Forks()
    assert forks.start() == ""
    assert psutil.Process().children() == before
    forks.finish()
