"""Find the jobs that are due, with their commands, from a dry run of the workflow."""

import itertools
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from molap.planning.job_files import expanded
from molap.storage.paths import RESULTS


class Refused(RuntimeError):
    """Raised when Snakemake refuses the workflow or its arguments; the message is Snakemake's own."""


OF_PLACES = re.compile(r"\s*File |\s*$|Full Traceback|Traceback|[A-Za-z]*(Error|Exception) in file .*:$")
"""Lines of Snakemake's that say where it was when it refused, and not why."""
NOTES = ("Using workflow specific profile", "Config file ", "packages are not as", "not heeded,", "Building DAG")


def refusal(text: str) -> str:
    """Return why Snakemake refuses, from all that it printed, in one line."""
    lines = [line.strip() for line in text.splitlines() if not OF_PLACES.match(line) and not line.startswith(NOTES)]
    refused = next((i for i, line in enumerate(lines) if line == "the configuration is refused"), None)
    return "; ".join(lines[refused + 1 :] if refused is not None else lines[-1:]) or "snakemake failed"


class Job(NamedTuple):
    """A job that would run."""

    program: str
    """Its module in `molap.stages`."""
    settings: str
    """Its settings as one canonical JSON text."""
    code: str
    inputs: tuple[str, ...]
    """The files that its command names, and those that Snakemake names as a reason."""
    outputs: tuple[str, ...]
    reason: str


def due_jobs(arguments: Sequence[str] = ()) -> list[Job]:
    """Return the jobs that `snakemake` with these arguments would run.

    Raises:
        Refused: if snakemake fails.
    """
    for file in config_files(arguments):
        if not Path(file).is_file():
            raise Refused(f"--configfile: there is no file {file}")
    # Snakemake's own message does not say that a file is given in another way.
    given = [value for option, value in itertools.pairwise(arguments) if option in ("--config", "-C")]
    given += [word.removeprefix("--config=") for word in arguments if word.startswith("--config=")]
    if file := next((value for value in given if "=" not in value), ""):
        raise Refused(f"--config: {file!r} is not allowed; give KEY=VALUE, or --configfile FILE")
    # Our options come first, because `--configfile FILES` takes all that follows.
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--printshellcmds", "--nolock", "--nocolor", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Refused(refusal(result.stdout + result.stderr))
    return read_jobs(result.stdout + result.stderr)


def config_files(arguments: Sequence[str]) -> list[str]:
    """Return the files that `--configfile` names among the arguments of Snakemake."""
    found, naming = [], False
    for word in arguments:
        if word.startswith("-"):
            option, sign, file = word.partition("=")
            named = option in ("--configfile", "--configfiles")
            naming = named and not sign
            found += [file] if named and sign else []
        elif naming:
            found.append(word)
    return found


def read_jobs(text: str) -> list[Job]:
    """Return the jobs that a dry run with `--printshellcmds` prints."""
    found, reason = [], ""
    for line in text.splitlines():
        name, _, rest = line.partition(": ")
        if name == "Reason":
            reason = rest
        elif name == "Shell command" and "molap.stages." in rest:
            found.append(_job(shlex.split(rest), reason))
    return found


def _job(words: list[str], reason: str) -> Job:
    words = expanded(words)
    pairs = list(itertools.pairwise(words))
    files = {
        flag: [value.split("=", 1)[1] for name, value in pairs if name == flag] for flag in ("--input", "--output")
    }
    one = dict(pairs)
    return Job(
        one["-m"].removeprefix("molap.stages."),
        one["--settings"],
        one["--code"],
        tuple(dict.fromkeys([*files["--input"], *re.findall(rf"{RESULTS}/[^,;]+", reason)])),
        tuple(files["--output"]),
        reason,
    )
