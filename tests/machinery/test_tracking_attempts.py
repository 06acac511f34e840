"""What a job leaves while it runs and when it fails, and the lock of a folder's importer."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from molap.jobs.attempt import N_LOG_CHARACTERS, Attempt
from molap.storage.found import find_records, is_running
from molap.tracking.scan import identity, importer_lock

REPOSITORY = Path(__file__).parents[2]


def python(*arguments):
    return subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)


def test_a_folder_keeps_its_identity_and_a_second_importer_is_told_of_the_first(tmp_path):
    names = [identity(tmp_path / folder) for folder in ("a", "b", "a", "b")]
    assert names[:2] == names[2:] and names[0] != names[1] and re.fullmatch("[0-9a-f]{12}", names[0])
    text = "import pathlib, sys\nfrom molap.tracking.scan import Busy, importer_lock\ntry:\n"
    text += "    with importer_lock(pathlib.Path(sys.argv[1])): print('free')\nexcept Busy as e: print(e)"
    with importer_lock(tmp_path):
        busy = python("-c", text, tmp_path).communicate(timeout=60)[0]
    assert busy == f"another importer (process {os.getpid()}) is at work on {tmp_path}/\n"
    assert python("-c", text, tmp_path).communicate(timeout=60)[0] == "free\n"


def test_a_job_is_running_until_its_process_is_killed(tmp_path):
    text = "import sys, time; from molap.jobs.attempt import Attempt; a = Attempt(sys.argv[1], 'x', '{}', None, None)"
    file = tmp_path / "x.attempt.json"
    with python("-c", f"{text}; print('started', flush=True); time.sleep(60)", tmp_path / "x.npz") as job:
        assert job.stdout.readline() == "started\n" and [is_running(file), is_running(file)] == [True, True]
        job.kill()
    assert job.returncode == -9 and file.exists() and not is_running(file)


@pytest.mark.parametrize("log", [b"first\n" + b"x" * N_LOG_CHARACTERS + b"\xff\nlast", None])
def test_an_attempt_goes_with_success_and_keeps_a_failures_error_and_end_of_log(tmp_path, log):
    (tmp_path / ("log" if log else "another")).write_bytes(log or b"another")
    about = str(tmp_path / "new/x.npz"), "head", '{"a": 0}', "c0de", str(tmp_path / "log")
    attempt = Attempt(*about)
    (file,) = (tmp_path / "new").iterdir()
    start, log_end = json.loads(file.read_text())["start"], (log or b"").decode(errors="replace")[-N_LOG_CHARACTERS:]
    expected = {"stage": "head", "settings": {"a": 0}, "outputs": {"output": about[0]}, "code": "c0de", "log": about[4]}
    assert json.loads(file.read_text()) == expected | {"start": start} and is_running(file)
    attempt.failed("Error: why", {"git": {"commit": "abc"}})
    failed = json.loads(file.read_text())
    assert file.stat().st_mtime - 60 < start <= failed.pop("end") and not is_running(file)
    assert failed == expected | {"start": start, "error": "Error: why", "git": {"commit": "abc"}, "log_end": log_end}
    Attempt(*about).succeeded()
    assert not file.exists() and not is_running(file) and file.name == "x.attempt.json"


def test_what_a_killed_job_left_half_written_is_removed_when_it_starts_again(tmp_path):
    half, others = (
        [".fig.svg.a1.svg", ".fig.record.json.b2.json", ".fig_loss.csv.c3.csv"],
        [".fig2.svg.d4.svg", "fig.svg"],
    )
    for name in half + others:
        (tmp_path / name).touch()
    about = str(tmp_path / "fig.png"), "fig", "{}", None, None
    Attempt(*about)
    assert {path.name for path in tmp_path.iterdir()} == {*half, *others, "fig.attempt.json"}, "no killed job"
    Attempt(*about)
    assert {path.name for path in tmp_path.iterdir()} == {*others, "fig.attempt.json"}


def test_a_stage_program_that_fails_leaves_its_attempt_until_it_succeeds(tmp_path):
    program = ["-m", "molap.stages.configuration", "--output", f"json={tmp_path / 'x.json'}", "--log", tmp_path / "log"]
    assert python(*program, "--settings", '{"name": "mlflow"}').wait(60) == 1
    (failed,) = find_records(tmp_path)
    content = json.loads(failed.read())
    assert content["error"].startswith("ConfigError: name: 'mlflow'") and "Traceback" in content["log_end"]
    assert python(*program, "--settings", '{"name": "demo"}').wait(60) == 0
    assert [found.file.name for found in find_records(tmp_path)] == ["x.record.json"] and not failed.file.exists()
