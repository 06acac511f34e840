"""A process that plans many times: Snakemake is loaded once, and each run is a fork of it.

As a program, it reads a line of JSON `[folder, argument, …]` for each run, and answers with one line
`[exit status, output]`. Given a folder and arguments itself, it plans once in this process beforehand: a fork then
finds the sources of that folder imported and parsed, and takes less than half the time. That is for runs that change
settings, or sources that planning does not execute.
"""

import contextlib
import importlib
import io
import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

LOADED = ("jinja2", "numpy", "pandas", "pydantic", "yaml", "snakemake.cli", "snakemake.parser")
"""Each run needs these modules; a process that only asks does not load them."""


class DryRuns:
    """Asks such a process, which lives as long as the context."""

    def __init__(self, *beforehand: str) -> None:
        self._beforehand = beforehand

    def __enter__(self) -> "DryRuns":
        kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MLFLOW_TRACKING_URI")}
        command = [sys.executable, __file__, *self._beforehand]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=kept, cwd=Path(__file__).parent
        )
        return self

    def __exit__(self, *_) -> None:
        self._process.stdin.close()
        self._process.wait()

    def __call__(self, folder: Path, *arguments: str) -> str:
        """Return what `snakemake` with these arguments prints in a folder; nothing is run.

        Raises:
            RuntimeError: if it fails; the message is what it printed.
        """
        self._process.stdin.write(json.dumps([str(folder), *arguments]) + "\n")
        self._process.stdin.flush()
        status, text = json.loads(self._process.stdout.readline())
        if status:
            raise RuntimeError(text)
        return text


def plan(folder: str, arguments: list[str]) -> tuple[int, str]:
    """Run Snakemake in this process, with the sources of the folder."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    text, status = io.StringIO(), 0
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            importlib.import_module("snakemake.cli").main(["--nolock", "--nocolor", *arguments])
        except SystemExit as end:
            status = end.code or 0
        except Exception:
            traceback.print_exc()
            status = 1
    return status, text.getvalue()


def forget() -> None:
    """Forget the digests of all modules; files that are unchanged need not be parsed again."""
    digests = sys.modules["molap.jobs.digests"]
    for name, function in vars(digests).items():
        if hasattr(function, "cache_clear") and not isinstance(function, type) and name != "_read":
            function.cache_clear()


def main(folder: str = "", *arguments: str) -> None:
    """Answer until the input ends."""
    for name in LOADED:
        importlib.import_module(name)
    if folder:
        status, text = plan(folder, list(arguments))
        assert not status, text
        forget()
    for line in sys.stdin:
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reader)
            folder, *arguments = json.loads(line)
            with os.fdopen(writer, "w", encoding="utf-8") as answer:
                json.dump(plan(folder, arguments), answer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as answer:
            text = answer.read()
        os.waitpid(child, 0)
        print(text, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
