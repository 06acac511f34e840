"""Every command ends in one line and a right status, whatever its surroundings: paths, streams, environment."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from tracked_results import environment
from workflow_helpers import REPOSITORY

SCRIPT = "import sys; sys.argv[0] = 'molap'; from molap.cli.main import main; main()"
TOO_ODD = "a 'b\" #1 %d & é\n$(x)"
COMMANDS = {
    "tasks list": ["tasks", "list", "--module", "own.py"],
    "tasks show": ["tasks", "show", "late", "--module", "own.py", "--trials", "2", "--output", "out/t.npz"],
    "plan": ["plan", "reservoir", "block=s0", "--config", "mine.yaml"],
    "best": ["best"],
    "latest": ["latest"],
    "diff": ["diff", "a", "b"],
    "compare": ["compare", "a", "b"],
    "sync": ["sync"],
    "rebuild": ["rebuild"],
    "ui": ["ui", "--port", "1024"],
    "merge": ["merge", "results/elsewhere"],
    "seeds": ["seeds", "results/elsewhere"],
    "switches": ["switches", "results/elsewhere"],
    "reference": ["reference", "--check"],
    "why": ["why", "--configfile", "mine.yaml"],
    "document": ["document", "--check"],
}
"""A line of every command, in a folder that has next to nothing."""
OWN = "from molap.tasks.registry import BUILT_IN\nTASKS = [BUILT_IN[0]._replace(name='late', label='T10')]\n"


def usual(folder):
    return {}


def odd_path(folder):
    return {"cwd": folder / TOO_ODD}


def ascii_terminal(folder):
    (folder / "mine.yaml").write_text("name: é\n", encoding="utf-8")
    return {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0"}


def no_home_no_temporary_folder(folder):
    return {"HOME": "/nonexistent", "TMPDIR": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"}


def noisy_python(folder):
    return {"PYTHONWARNINGS": "error", "PYTHONHASHSEED": "1", "PYTHONOPTIMIZE": "1", "MPLBACKEND": "nonsense"}


def odd_settings(folder):
    return {"JAX_ENABLE_X64": "perhaps", "XLA_FLAGS": "--xla_nonsense", "JAX_PLATFORMS": "rocm", "OMP_NUM_THREADS": "x"}


def user_code_that_exits(folder):
    (folder / "own.py").write_text("print('hello')\nimport sys\nsys.exit(3)\n")
    return {}


def results_is_a_file(folder):
    (folder / "results").rmdir()
    (folder / "results").write_text("no folder")
    return {}


def results_is_a_loop(folder):
    (folder / "results").rmdir()
    (folder / "results").symlink_to("results")
    return {}


def configuration_is_damaged(folder):
    (folder / "mine.yaml").write_bytes(b"name: [\xff\n")
    return {}


def server_address_is_odd(folder):
    return {"MLFLOW_TRACKING_URI": "sqlite:////tmp/é"}


SURROUNDINGS = (
    *(usual, odd_path, ascii_terminal, no_home_no_temporary_folder, noisy_python, odd_settings),
    *(user_code_that_exits, results_is_a_file, results_is_a_loop, configuration_is_damaged, server_address_is_odd),
)


def run(words, folder, breaks, **more):
    changes = breaks(folder)
    place = changes.pop("cwd", folder)
    if place != folder:
        place.mkdir()
        for name in ("mine.yaml", "own.py"):
            (place / name).write_bytes((folder / name).read_bytes())
        (place / "results").mkdir()
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=place,
        env=environment(PYTHONPATH=str(REPOSITORY)) | changes,
        timeout=120,
        **({"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | more),
    )


@pytest.fixture
def bare(tmp_path):
    (tmp_path / "mine.yaml").write_text("name: mine\n")
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "results").mkdir()
    return tmp_path


def assert_told(shown, name):
    error = shown.stderr.decode("utf-8", "backslashreplace")
    assert "Traceback" not in error and shown.returncode in (0, 1, 2), error
    lines = [line for line in error.splitlines() if line != "hello"]
    assert len(lines) == (shown.returncode != 0), error
    if shown.returncode:
        assert lines[0].startswith(f"molap {name}: "), error
        assert "unexpected" not in error, error


def some(i: int, k: int) -> bool:
    """Whether the exhaustive tier tries a pair: one in eight, so that each meets at least one other."""
    return (i + 3 * k) % 8 == 0


PAIRS = [
    pytest.param(name, breaks, marks=pytest.mark.exhaustive if some(i, k) else pytest.mark.benchmarks)
    for i, name in enumerate(COMMANDS)
    for k, breaks in enumerate(SURROUNDINGS)
]
"""Every command in all surroundings; `pytest -m "exhaustive or benchmarks"` tries all of them."""


@pytest.mark.parametrize(("name", "breaks"), PAIRS)
def test_a_command_ends_in_one_line(bare, name, breaks):
    assert_told(run(COMMANDS[name], bare, breaks), name)


@pytest.mark.parametrize(
    ("name", "breaks"), [("plan", ascii_terminal), ("tasks list", user_code_that_exits), ("sync", results_is_a_file)]
)
def test_some_of_them_at_once(bare, name, breaks):
    assert_told(run(COMMANDS[name], bare, breaks), name)


def test_a_reader_that_has_ended_and_a_full_disk_are_no_traceback(bare):
    reading, writing = os.pipe()
    os.close(reading)
    shown = run(["tasks", "list"], bare, usual, stdout=writing)
    os.close(writing)
    assert shown.returncode in (1, 141) and shown.stderr == b""
    with open("/dev/full", "wb") as full:
        shown = run(["tasks", "list"], bare, usual, stdout=full)
    assert shown.returncode == 1 and shown.stderr.count(b"\n") == 1 and b"No space left on device" in shown.stderr


@pytest.mark.exhaustive
def test_output_may_be_closed(bare):
    words = f"{sys.executable} -c {SCRIPT!r} tasks list >&-"
    shown = subprocess.run(
        ["bash", "-c", words], cwd=bare, env=environment(PYTHONPATH=str(REPOSITORY)), capture_output=True
    )
    assert shown.returncode in (0, 1) and b"Traceback" not in shown.stderr


def test_what_a_user_s_module_prints_does_not_reach_the_output(bare):
    (bare / "own.py").write_text(f"print('hello')\n{OWN}")
    shown = run(["tasks", "list", "--module", "own.py"], bare, usual)
    assert shown.returncode == 0 and b"hello" not in shown.stdout and b"hello" in shown.stderr


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "name", ["with space.npz", "a'b\"c.npz", "a=b,c.npz", "#%&é.npz", "{x}.npz", "-x.npz", "@x.npz", "a\nb.npz"]
)
def test_a_network_may_lie_anywhere(bare, name):
    np.savez(bare / name, w_rec=np.eye(4) / 2)
    (bare / "mine.yaml").write_text(yaml.safe_dump({"name": "mine", "reservoirs": {"files": {"own": name}}}))
    shown = run(["plan", "own_network", "block=s0", "source=own", "--config", "mine.yaml"], bare, usual)
    assert shown.returncode == 0, shown.stderr
    words = ["-m", "molap.stages.own_network", "--settings", shown.stdout.decode().strip()]
    words += ["--input", f"file={name}", "--output", "arrays=made.npz"]
    made = subprocess.run(
        [sys.executable, *words], cwd=bare, env=environment(PYTHONPATH=str(REPOSITORY)), capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert json.loads(Path(bare, "made.record.json").read_text())["inputs"] == {"file": name}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "the following arguments are required: --settings, --output (see --help)"),
        (["--settings", "{", "--output", "a=b.npz"], "failed: JSONDecodeError"),
        (["--settings", "{}", "--output", "b.npz"], "'b.npz' is not allowed; give NAME=PATH"),
        (["@missing.txt"], "No such file or directory: 'missing.txt'"),
    ],
)
def test_a_stage_by_hand_says_in_one_line_what_is_wrong(bare, words, line):
    shown = subprocess.run(
        [sys.executable, "-m", "molap.stages.testset", *words],
        cwd=bare,
        env=environment(PYTHONPATH=str(REPOSITORY)),
        capture_output=True,
        text=True,
    )
    assert shown.returncode in (1, 2) and shown.stdout == ""
    assert shown.stderr.count("\n") == 1 and line in shown.stderr, shown.stderr


@pytest.mark.parametrize(
    ("stage", "given", "line"),
    [
        ("testset", ["--output", "arays=a.npz"], "--output: arrays=PATH is needed, and only arays is given"),
        ("table1", ["--output", "table=a.csv"], "--input: counts=PATH is needed, and none is given"),
    ],
)
def test_a_stage_without_one_of_its_files_names_it(bare, stage, given, line):
    planned = subprocess.run(
        [sys.executable, "-m", "molap", "plan", "--config", REPOSITORY / "tests/tiny.yaml", stage]
        + (["task=delay_pro"] if stage == "testset" else []),
        cwd=bare,
        env=environment(PYTHONPATH=str(REPOSITORY)),
        capture_output=True,
        text=True,
        check=True,
    )
    shown = subprocess.run(
        [sys.executable, "-m", f"molap.stages.{stage}", "--settings", planned.stdout.strip(), *given],
        cwd=bare,
        env=environment(PYTHONPATH=str(REPOSITORY)),
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 1 and f"failed: ConfigError: {line}" in shown.stderr and shown.stderr.count("\n") == 1
