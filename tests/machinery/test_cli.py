"""`molap` as a user types it: its list of commands, their help, what they refuse, and the server of `molap ui`."""

import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from importlib import import_module

import psutil
import pytest
from servers import free_port
from tracked_results import environment, sync_here, write_results
from workflow_helpers import REPOSITORY

from molap.cli.main import COMMANDS, loaded
from molap.jobs.command import run as run_command
from molap.planning import why
from molap.planning.dry_run import Refused, due_jobs

SCRIPT = "import sys; sys.argv[0] = 'molap'; from molap.cli.main import main; main()"
NAMES = [name for commands in COMMANDS.values() for name in commands]
LONGEST_START_S = 0.5
HEAVY = {"jax", "mlflow", "numpy", "pandas", "pydantic", "snakemake", "yaml"}
PORT_IS_TAKEN = (
    r"molap ui: --port: {} is not free \(Address already in use\); "
    r"give another port, or stop the program that uses it\n"
)


def command(*arguments):
    """The words of `molap` with these arguments, installed or not."""
    return [sys.executable, "-c", SCRIPT, *arguments]


def run(words, folder=REPOSITORY, **variables):
    return subprocess.run(
        words, cwd=folder, env=environment(**variables), capture_output=True, text=True, check=False, timeout=120
    )


def molap(*arguments, **more):
    return run(command(*arguments), **more)


def test_the_installed_command_is_this_one():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    module, function = project["scripts"]["molap"].split(":")
    assert callable(getattr(import_module(module), function))


@pytest.mark.parametrize("asked", [["--help"], ["-h"], []])
def test_all_commands_are_listed_by_section_with_what_they_do(asked):
    shown = molap(*asked)
    assert shown.returncode == (0 if asked else 2)
    text = " ".join((shown.stdout + shown.stderr).split())
    places = [text.index(f"{section}:") for section in COMMANDS]
    assert places == sorted(places)
    for commands in COMMANDS.values():
        for name, (_, line) in commands.items():
            assert f" {name} {line}" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_line_in_the_list_is_the_first_of_the_command_s_help(name):
    (line,) = (commands[name][1] for commands in COMMANDS.values() if name in commands)
    assert loaded(name).name == name
    assert loaded(name).get_short_help_str(limit=1000) == line


def test_the_list_and_its_completion_load_no_package_that_takes_time():
    for variables in ({}, completing("molap ")):
        shown = run([sys.executable, "-X", "importtime", *command("--help")[1:]], **variables)
        assert shown.returncode == 0 and "ui" in shown.stdout
        modules = {line.split("|")[-1].strip().split(".")[0] for line in shown.stderr.splitlines()}
        assert "click" in modules and not modules & HEAVY


def test_the_list_comes_at_once():
    times = []
    for _ in range(5):
        start = time.perf_counter()
        molap("--help")
        times.append(time.perf_counter() - start)
    assert min(times) < LONGEST_START_S


def completing(line):
    words = line.split(" ")
    return {"_MOLAP_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}


def test_bash_completes_commands_and_options():
    def offered(line):
        return [word.split(",")[1] for word in molap(**completing(line)).stdout.splitlines()]

    assert offered("molap ") == sorted(NAMES)
    assert offered("molap s") == ["seeds", "switches", "sync"]
    assert offered("molap tasks ") == ["list", "show"]
    assert "--port" in offered("molap ui --")
    assert "complete" in molap(_MOLAP_COMPLETE="bash_source").stdout


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_the_entry_of_its_own_module_has_the_same_help(name):
    def without_usage(shown):
        assert shown.returncode == 0 and shown.stdout.startswith("Usage: "), shown.stderr
        return shown.stdout.split("\n\n", 1)[1]

    module = loaded(name).callback.__module__
    old = [module.removesuffix(".__main__")] + ([name] if "tracking" in module else [])
    assert without_usage(run([sys.executable, "-m", *old, "--help"])) == without_usage(molap(name, "--help"))


def test_the_same_is_printed_by_all_ways_to_a_command():
    words = ["plan", "head", "block=s0", "source=none", "task=mem_pro"]
    ways = (command(*words), [sys.executable, "-m", "molap", *words])
    ways += ([sys.executable, "-m", "molap.planning.plan", *words[1:]],)
    (printed,) = {(shown.returncode, shown.stdout) for shown in map(run, ways)}
    assert printed[0] == 0 and '"task":"mem_pro"' in printed[1]


def test_why_hands_its_arguments_on_as_they_are(monkeypatch):
    handed_on = []
    monkeypatch.setattr(why, "due_jobs", lambda arguments: handed_on.extend(arguments) or [])
    words = ["-c1", "--configfile", "a.yaml", "--", "all", "-n"]
    with pytest.raises(SystemExit) as end:
        run_command(why.main, words)
    assert not end.value.code and handed_on == words


def test_why_says_how_a_configuration_is_given():
    with pytest.raises(Refused, match=r"--config: 'mine\.yaml' is not allowed; give KEY=VALUE, or --configfile FILE"):
        due_jobs(["--config", "mine.yaml"])
    for words in (["--config=mine.yaml"], ["-C", "mine.yaml"]):
        with pytest.raises(Refused, match="give KEY=VALUE, or --configfile FILE"):
            due_jobs(words)


def test_options_of_the_store_stand_before_or_after_the_command(tmp_path):
    before = ["--results", "elsewhere", "latest"]
    line = f": there is no {tmp_path}/elsewhere/mlflow/mlflow.db; run the workflow, or `molap sync`\n"
    old = run([sys.executable, "-m", "molap.tracking", *before], tmp_path)
    assert (old.returncode, old.stderr) == (1, f"python -m molap.tracking latest{line}")
    new = molap("latest", "--results", "elsewhere", folder=tmp_path)
    assert (new.returncode, new.stderr) == (1, f"molap latest{line}")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["uii"], "molap: No such command 'uii'. Did you mean 'ui'?"),
        (["ui", "--prt", "1"], "molap ui: No such option '--prt'. Did you mean '--port'?"),
        (["ui", "--port", "few"], "molap ui: Invalid value for '--port': 'few' is not a valid integer."),
        (["ui", "--port", "70000"], "molap ui: Invalid value for '--port': 70000 is not in the range 1<=x<=65535."),
        (["best", "-n", "0"], "molap best: Invalid value for '--number' / '-n': 0 is not in the range x>=1."),
        (["ui", "--config", "no.yaml"], "molap ui: no.yaml: cannot be read: No such file"),
        (["diff", "one"], "molap diff: Missing argument 'RUN'."),
        (["plan", "hed"], "molap plan: Invalid value for 'STAGE': 'hed' is not one of 'areas', "),
        (["plan", "head", "s0"], "molap plan: NAME=VALUE: 's0' is not allowed; give a name, `=` and a value"),
        (["plan", "head", "block=s0"], "molap plan: 'block=s0' does not name a head: missing 2 "),
        (
            ["plan", "head", "block=s0", "source=cca", "task=nope"],
            "molap plan: task=nope is not allowed; task is one of",
        ),
        (
            ["plan", "provenance", "--config", "tests/tiny.yaml", "--config", "config/paper.yaml"],
            "molap plan: --config: tests/tiny.yaml config/paper.yaml are not allowed together; give one file",
        ),
        (["plan", "testset", "task=a", "task=b"], "molap plan: NAME=VALUE: 'task=a task=b' is not allowed; give each"),
        (["plan", "head", "source=ccc"], "molap plan: source=ccc is not allowed; source is one of cca, pca, none"),
        (["plan", "evaluation", "kind=dni"], "molap plan: kind=dni is not allowed; kind is one of separate, molap-cca"),
        (["seeds", "docs"], "molap seeds: Invalid value for 'RUN': docs has no configuration.json; give "),
        (["merge", "nowhere"], "molap merge: nowhere holds no records of a run's jobs; nothing was copied"),
    ],
)
def test_what_is_not_allowed_is_told_in_one_line(arguments, line):
    refused = molap(*arguments)
    assert refused.returncode in (1, 2) and refused.stdout == ""
    assert refused.stderr.startswith(line) and refused.stderr.count("\n") == 1


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tracked")
    write_results(folder / "results", 1)
    sync_here(folder / "results")
    return folder


def wait_until(true, process, what):
    deadline = time.time() + 120
    while not true():
        assert process.poll() is None and time.time() < deadline, what
        time.sleep(0.05)


def answers(port):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
    except OSError:
        return False
    return True


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("words", "ending", "early"),
    [
        (command("ui"), signal.SIGTERM, False),
        ([sys.executable, "-m", "molap.tracking", "ui"], signal.SIGINT, False),
        (command("ui"), signal.SIGTERM, True),
    ],
)
def test_the_server_of_the_ui_ends_with_its_command(tracked, words, ending, early):
    port = free_port()
    shown = subprocess.Popen(
        [*words, "--port", str(port)], cwd=tracked, env=environment(), stderr=subprocess.DEVNULL, text=True
    )
    of_it = psutil.Process(shown.pid)
    try:
        wait_until(lambda: of_it.children(), shown, "no server was started")
        if not early:
            wait_until(lambda: answers(port), shown, "the server does not answer")
            second = molap("ui", "--port", str(port), folder=tracked)
            assert second.returncode == 1 and re.fullmatch(PORT_IS_TAKEN.format(port), second.stderr)
        servers = of_it.children(recursive=True)
    finally:
        shown.send_signal(ending)
    assert shown.wait(30) == 128 + ending
    psutil.wait_procs(servers, timeout=5)
    assert servers and not any(map(psutil.Process.is_running, servers))
    assert not answers(port)


@pytest.mark.exhaustive
def test_the_status_is_the_server_s_own_where_that_ends_first(tracked):
    port = free_port()
    shown = subprocess.Popen(command("ui", "--port", str(port)), cwd=tracked, env=environment())
    of_it = psutil.Process(shown.pid)
    wait_until(lambda: of_it.children(), shown, "no server was started")
    os.kill(of_it.children()[0].pid, signal.SIGKILL)
    assert shown.wait(30) not in (0, None)
