"""The part that all stage programs share: command line, record, and one clear line when a job fails."""

import argparse
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, NoReturn

from molap.config.base import ConfigError, S, Section, check
from molap.jobs.attempt import Attempt
from molap.jobs.digests import source_digest, user_modules
from molap.jobs.failure import explain, file_of_traceback
from molap.jobs.surroundings import ran_under, refuse, unusable_device
from molap.storage.files import canonical_json, record_path
from molap.storage.record import Clock, machine, versions, write_record

COMPILATION = {f"/jax/core/compile/{name}_duration" for name in ("jaxpr_to_mlir_module", "backend_compile")}
"""JAX's own measurements of creating a program: lowering it, and XLA's compilation or reading it from the cache."""


class Job(Generic[S]):
    """A running stage: its files, and the contents of its record."""

    def __init__(self, stage: str, settings: S, inputs: dict, outputs: dict, code: str) -> None:
        self.stage, self.settings, self.inputs, self.outputs, self.code = (
            stage,
            settings,
            inputs,
            outputs,
            code,
        )
        self.metrics: dict[str, Any] = {}
        self.curves: dict[str, Any] = {}
        self.better: dict[str, str] = {}
        """Metric or curve → `higher` or `lower`, whichever is better; a count without a direction is not named."""
        self.clock = Clock()
        self._compilation: list[float] = []
        if "jax" in sys.modules:
            sys.modules["jax"].monitoring.register_event_duration_secs_listener(self._note_compilation)

    @property
    def provenance(self) -> dict:
        """Return what is written into the files: all that determines them, and nothing that varies from run to run."""
        return {
            "stage": self.stage,
            "settings": self.settings.model_dump(mode="json"),
            "code": self.code,
            "versions": versions(),
        }

    def _note_compilation(self, event: str, seconds: float, **_) -> None:
        if event in COMPILATION:
            self._compilation.append(seconds)

    def record(self) -> dict:
        """Return the record of the stage."""
        times = self.clock.read() | {"compilation_s": sum(self._compilation)}
        return self.provenance | {
            "inputs": self.inputs,
            "outputs": self.outputs,
            "metrics": self.metrics,
            "curves": self.curves,
            "better": self.better,
            "time": times,
            "git": _git(),
            "machine": machine(),
            "environment": ran_under(),
        }


class _Parser(argparse.ArgumentParser):
    """A parser that says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        line = " ".join(message.split())
        self.exit(2, f"{self.prog}: {line} (see --help)\n")


def run_job(stage: str, settings_type: type[S], work: Callable[[Job[S]], None], argv: list[str] | None = None) -> None:
    """Run a stage from the command line.

    The settings arrive as one JSON text, the same text by which the workflow plans, so that a stage cannot depend on
    anything else. On failure, the traceback goes to the log and one line to standard error, and the exit status is 1.
    """
    parser = _Parser(
        prog=f"python -m molap.stages.{stage}",
        description=sys.modules["__main__"].__doc__,
        fromfile_prefix_chars="@",
    )
    parser.add_argument(
        "--settings", required=True, metavar="JSON", help="its settings (see `python -m molap.planning.plan`)"
    )
    parser.add_argument("--code", help="source digest that the workflow planned; refused if the code has changed")
    parser.add_argument("--input", action="append", default=[], metavar="NAME=PATH")
    parser.add_argument(
        "--output",
        action="append",
        default=[],
        metavar="NAME=PATH",
        required=True,
        help="the record, `record=PATH`, is next to the first unless named",
    )
    parser.add_argument("--log", help="file for progress and tracebacks (default: standard output)")
    arguments = parser.parse_args(argv)
    where, attempt = "", None
    try:
        _open_log(arguments.log)
        refuse()
        outputs = _pairs(arguments.output)
        record = outputs.pop("record", None) or record_path(next(iter(outputs.values())))
        attempt = Attempt(next(iter(outputs.values())), stage, arguments.settings, arguments.code, arguments.log)
        settings = check(settings_type, json.loads(arguments.settings))
        where = _where(settings)
        code = source_digest(f"molap.stages.{stage}", user_modules(json.loads(arguments.settings)))
        if arguments.code and arguments.code != code:
            raise ConfigError(
                f"code: planned {arguments.code}, but source and packages are now {code}; run snakemake again"
            )
        job = Job(stage, settings, _Files("--input", _pairs(arguments.input)), _Files("--output", outputs), code)
        print(f"{stage}{where}: {canonical_json(settings.model_dump(mode='json'))}", flush=True)
        work(job)
        write_record(record, job.record())
        attempt.succeeded()
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # a user's function may call sys.exit()
        log = arguments.log or (not isinstance(error, ConfigError) and file_of_traceback(error))
        place = f"; log: {log}" if log else ""
        reason = unusable_device() or explain(error)
        print(f"molap {stage}{where} failed: {reason}{place}", file=sys.stderr, flush=True)
        try:
            if arguments.log:
                traceback.print_exc(file=sys.stdout)
            sys.stdout.flush()
        except OSError:  # on a full disk the line must suffice, and what the log cannot take is discarded
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if attempt:
            attempt.failed(
                unusable_device() or f"{type(error).__name__}: {error}", {"versions": versions(), "git": _git()}
            )
        sys.exit(1)


def _open_log(path: str | None) -> None:
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        sys.stdout = open(path, "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 (open until the job ends)


class _Files(dict[str, str]):
    """Name → path, from the command line."""

    def __init__(self, option: str, pairs: dict[str, str]) -> None:
        super().__init__(pairs)
        self._option = option

    def __missing__(self, name: str) -> NoReturn:
        given = f"only {', '.join(self)}" if self else "none"
        raise ConfigError(f"{self._option}: {name}=PATH is needed, and {given} is given")


def _pairs(items: list[str]) -> dict[str, str]:
    pairs = [item.partition("=") for item in items]
    for name, sign, _ in pairs:
        if not sign:
            raise ConfigError(f"{name!r} is not allowed; give NAME=PATH")
    return {name: path for name, _, path in pairs}


def _where(settings: Section) -> str:
    """Return the task, source and seeds of a job, for messages."""
    found = ""
    for name in ("kind", "source", "module", "task", "seeds"):
        value = getattr(settings, name, None)
        if value is not None:
            found += f" {name}={','.join(map(str, value)) if isinstance(value, tuple) else value}"
    return found


def _git() -> dict[str, Any]:
    """Return the commit of the source tree and whether it was changed; empty outside a checkout."""

    def ask(*words: str) -> str:
        return subprocess.run(
            ["git", *words], capture_output=True, text=True, check=True, timeout=10, cwd=Path(__file__).parent
        ).stdout.strip()

    try:
        return {"commit": ask("rev-parse", "HEAD"), "dirty": bool(ask("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):
        return {}
