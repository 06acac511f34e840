"""Run the workflow in a scratch copy of the repository, and read what Snakemake plans."""

import contextlib
import functools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import yaml
from dry_runs import DryRuns
from sources import REPOSITORY, copy_sources

SUFFIXES = {".npz", ".csv", ".json", ".png", ".svg", ".pdf", ".html"}
OF_TIMES = (".record.json", "provenance.html", "article.pdf")

COMPILED = REPOSITORY / ".pytest_cache" / "jax"
"""Keep compiled programs here, so that every test and scratch copy uses what another has compiled."""
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
"""Finds this environment's `snakemake` and `molap` first, also where it is not activated."""
UNSET = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "MLFLOW_TRACKING_URI"}


STARTED: list[subprocess.Popen] = []
"""What tests have started; `conftest.py` ends what a failing test leaves behind."""


def heed_interrupts() -> None:
    """Where pytest runs in the background of a shell, it ignores SIGINT, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@functools.cache
def dry_runs() -> DryRuns:
    """The process that plans for all tests of a worker: it has loaded Snakemake, and ends with the worker."""
    return DryRuns().__enter__()


class Scratch:
    """A copy of the sources in which the tiny configuration is run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        copy_sources(folder)
        self.set(tracking={"enabled": False})  # but where it is what is tested

    @classmethod
    def at(cls, folder: Path) -> "Scratch":
        """The copy that is already in a folder."""
        scratch = object.__new__(cls)
        scratch.folder = folder
        return scratch

    def copy(self, folder: Path) -> "Scratch":
        """This copy once more with its results, without the files that a running Python or Snakemake takes away."""
        passing = shutil.ignore_patterns("*.pyc.*", "log", "locks")
        shutil.copytree(self.folder, folder, copy_function=shutil.copy2, ignore=passing)
        return Scratch.at(folder)

    @property
    def environment(self) -> dict[str, str]:
        """The copy's own sources first; bytecode written, and compiled programs kept, so that start-up is short."""
        kept = {name: value for name, value in os.environ.items() if name not in UNSET}
        return kept | {"PYTHONPATH": str(self.folder), "JAX_COMPILATION_CACHE_DIR": str(COMPILED)}

    def command(self, *arguments: str, config: str = "tiny.yaml") -> list[str]:
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments, "--configfile", config]

    def run(self, *arguments: str, config: str = "tiny.yaml") -> subprocess.CompletedProcess:
        """Run Snakemake to its end."""
        return subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=1200,
        )

    def start(self, *arguments: str, **options) -> subprocess.Popen:
        """Start Snakemake in a process group of its own; what it says goes to `output.txt`."""
        with open(self.folder / "output.txt", "w") as output:
            options = {"cwd": self.folder, "env": self.environment, "stdout": output, "stderr": output} | options
            options = {"start_new_session": True, "preexec_fn": heed_interrupts} | options
            STARTED.append(subprocess.Popen(self.command(*arguments), **options))
        return STARTED[-1]

    def output(self) -> str:
        """What the Snakemake that was started last has said."""
        return (self.folder / "output.txt").read_text()

    def planned(self, *arguments: str) -> dict[str, int]:
        """Number of planned jobs by rule, without the targets."""
        return planned_jobs(dry_runs()(self.folder, "--dry-run", *arguments, "--configfile", "tiny.yaml"))

    def set(self, **changes: dict) -> None:
        """Change values in sections of the configuration."""
        path = self.folder / "tiny.yaml"
        values = yaml.safe_load(path.read_text())
        for section, change in changes.items():
            values[section] = values.get(section, {}) | change
        path.write_text(yaml.safe_dump(values))

    def shrink(self, preset: str) -> None:
        """Give a preset of `config/` the size of the tests, with one network of each kind and few stages."""
        tiny = yaml.safe_load((REPOSITORY / "tests" / "tiny.yaml").read_text(encoding="utf-8"))
        tiny |= {"seeds": {"networks": 1}, "perturbations": {"kinds": []}, "generalisation": {"left_out": []}}
        tiny["dni"]["kinds"] = ["dni-rule"]
        (self.folder / "config" / f"{preset}.yaml").write_text(yaml.safe_dump(tiny | {"name": preset}))

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace text in a source file."""
        path = self.folder / file
        text = path.read_text()
        assert old in text, f"{file} holds no {old!r}"
        path.write_text(text.replace(old, new, 1))

    def outputs(self) -> dict[str, bytes]:
        """All outputs by name; records and their page are left out, because they hold times, and hidden files."""
        files = (self.folder / "results").rglob("*")
        return {
            str(file.relative_to(self.folder)): file.read_bytes()
            for file in files
            if file.suffix in SUFFIXES and not file.name.endswith(OF_TIMES) and "/." not in str(file)
        }


TARGETS = ("all", "default", "baselines", "modules", "article", "tune", "diagnose")
"""Rules that only name what is wanted."""


def planned_jobs(text: str) -> dict[str, int]:
    """Number of planned jobs by rule, without the targets, as a dry run prints them."""
    table = re.search(r"^Job stats:\n.*?\n-+  -+\n(.*?)\ntotal", text, re.DOTALL | re.MULTILINE)
    if table is None:
        assert "Nothing to be done" in text, text
        return {}
    counts = dict(line.split() for line in table.group(1).splitlines())
    return {rule: int(count) for rule, count in counts.items() if rule not in TARGETS}


def stage_jobs(process: subprocess.Popen) -> list[psutil.Process]:
    """The stage programs that a Snakemake runs now."""
    found = []
    with contextlib.suppress(psutil.Error):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if any(word.startswith("molap.stages.") for word in child.cmdline()[1:9]):
                    found.append(child)
    return found


def working(process: subprocess.Popen) -> list[psutil.Process]:
    """Its stage programs, and the forks that do their work; also where both are about to lose it."""
    jobs = stage_jobs(process)
    server = next(child for child in psutil.Process(process.pid).children() if "molap.jobs.forks" in child.cmdline())
    return jobs + server.children()


def wait_until(reached: Callable[[], Any], process: subprocess.Popen, seconds: float = 600) -> Any:
    """Wait until something holds, and return it; the process must not end before."""
    deadline = time.time() + seconds
    while not (found := reached()):
        assert process.poll() is None, "it ended before"
        assert time.time() < deadline, "it takes too long"
        time.sleep(0.02)
    return found


def differences(ours: dict[str, bytes], theirs: dict[str, bytes]) -> dict[str, tuple]:
    """What to look at where the bytes of outputs differ: the first place in each file."""
    found = {name: ("only on one side",) for name in ours.keys() ^ theirs.keys()}
    for name in ours.keys() & theirs.keys():
        if ours[name] != theirs[name]:
            pairs = enumerate(zip(ours[name], theirs[name], strict=False))
            at = next((i for i, (a, b) in pairs if a != b), min(len(ours[name]), len(theirs[name])))
            found[name] = at, ours[name][at - 40 : at + 40], theirs[name][at - 40 : at + 40]
    return found


def told(text: str) -> list[str]:
    """The lines by which jobs and the workflow report a fault; nothing is a traceback of theirs."""
    assert "Traceback" not in text, text
    return [line for line in text.splitlines() if line.startswith(("molap ", "results/ cannot"))]


def assert_done(scratch: Scratch, finished: Scratch, *files: str) -> None:
    """The run goes on to these files, and every output there is, is that of the undisturbed run."""
    result = scratch.run(*files)
    assert result.returncode == 0, result.stdout + result.stderr
    found, expected = scratch.outputs(), finished.outputs()
    assert differences(found, {name: expected[name] for name in expected if name in {*found, *files}}) == {}
