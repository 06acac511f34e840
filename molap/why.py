"""Why the workflow would run a job: the configuration key, source module, input or missing file behind each.

    python -m molap.why                                   # of the default targets
    python -m molap.why --configfile mine.yaml            # arguments are those of snakemake

It asks `snakemake --dry-run` for the plan, and the records beside the outputs for what made them.
"""

import itertools
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.paths import OUTPUTS, RESULTS
from molap.plan import Plan
from molap.records import record_path
from molap.sources import modules, remembered

MANY = 4
"""Names that a cause lists; of more, their number."""


class Job(NamedTuple):
    """A planned job: what Snakemake says of it, and the command that it would run."""

    reason: str
    stage: str
    settings: dict
    code: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def planned_jobs(text: str) -> Iterator[Job]:
    """The jobs in the output of `snakemake --dry-run --printshellcmds`."""
    reason = ""
    for line in text.splitlines():
        name, _, rest = line.partition(": ")
        if re.fullmatch(r"Job \d+", name):
            reason = ""
        elif name == "Reason":
            reason = rest
        elif name == "Shell command" and "molap.stages." in rest:
            words = shlex.split(rest)
            options = list(itertools.pairwise(words))
            given = {flag: [value for name, value in options if name == flag] for flag in ("--input", "--output")}
            files = {flag: tuple(value.split("=", 1)[1] for value in values) for flag, values in given.items()}
            one = dict(options)
            stage = one["-m"].removeprefix("molap.stages.")
            settings = json.loads(one["--settings"])
            yield Job(reason, stage, settings, one["--code"], files["--input"], files["--output"])


def flat(values: object, prefix: str = "") -> dict[str, object]:
    """Settings by dotted path; lists are values."""
    if not isinstance(values, dict) or not values:
        return {prefix: values}
    return {
        path: value
        for name, item in values.items()
        for path, value in flat(item, f"{prefix}.{name}" if prefix else str(name)).items()
    }


def changed(old: dict, new: dict) -> dict[str, tuple]:
    """Dotted path → (value before, value now), of all that differ now; records hold defaults beside them."""
    before, now = flat(old), flat(new)
    return {path: (before.get(path), value) for path, value in sorted(now.items()) if before.get(path) != value}


class Keys:
    """The configuration keys that changed since a run was made, and the jobs that each reaches."""

    def __init__(self, old: dict, new: dict) -> None:
        self._old = old
        self.changed = changed(old, new)
        self._plans = {None: self._plan(None)} | {key: self._plan(key) for key in self.changed}

    def _plan(self, key: str | None) -> Plan | None:
        """The plan before, with one key as it is now; none where that alone is not allowed."""
        values = json.loads(json.dumps(self._old))
        if key is not None:
            *sections, last = key.split(".")
            place = values
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = self.changed[key][1]
        try:
            return Plan(parse_config(values))
        except ConfigError:
            return None

    def behind(self, job: Job) -> list[str]:
        """The keys that alone change the settings of a job."""
        found = []
        for stage, wildcards in places(job):
            for key, plan in self._plans.items():
                if (
                    key is not None
                    and plan
                    and self._settings(plan, stage, wildcards) != self._settings(self._plans[None], stage, wildcards)
                ):
                    found.append(key)
        return list(dict.fromkeys(found))

    @staticmethod
    def _settings(plan: Plan, stage: str, wildcards: dict) -> str | None:
        try:
            return plan.settings(stage, **wildcards)
        except (KeyError, ValueError, StopIteration):  # the run, task or network does not exist in it
            return None


def places(job: Job) -> Iterator[tuple[str, dict[str, str]]]:
    """What a job's output is called in the plan: stage and wildcards, as its path tells."""
    for name, output in OUTPUTS.items():
        if name == job.stage or job.stage == "testset":
            pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(f"{RESULTS}/{output.template}"))
            if match := re.fullmatch(pattern, job.outputs[0]):
                yield name, match.groupdict()


def causes(job: Job, keys: dict[str, Keys]) -> list[str]:
    """What makes a job run, in words; nothing where it is only made from what is made anew."""
    try:
        record = json.loads(Path(record_path(job.outputs[0])).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = None
    missing = [file for file in job.outputs if not Path(file).exists()]
    found = ["its output is missing"] if missing else []
    if record:
        found += _settings_causes(job, record["settings"], keys)
    if record and record["code"] != job.code:
        found.append(_source_cause(record["code"], job))
    return found


def _settings_causes(job: Job, old: dict, keys: dict[str, Keys]) -> list[str]:
    if not (differing := changed(old, job.settings)):
        return []
    run = next((wildcards["run"].split("/")[0] for _, wildcards in places(job)), "")
    behind = keys[run].behind(job) if run in keys else []
    if behind:
        return [_change(key, *keys[run].changed[key]) for key in behind]
    return [_change(f"settings.{path}", *values) for path, values in differing.items()]


def _source_cause(old: str, job: Job) -> str:
    files = tuple(job.settings.get("trials", {}).get("modules", ()))
    before, now = remembered(old), modules(f"molap.stages.{job.stage}", files)
    if not before:
        return "source changed"
    return "source changed: " + _list([name for name in sorted({*before, *now}) if before.get(name) != now.get(name)])


def _change(name: str, before: object, now: object) -> str:
    return f"{name}: {_short(before)} → {_short(now)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _list(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= MANY else f"{', '.join(names[:MANY])} and {len(names) - MANY} more"


def changed_keys(jobs: list[Job]) -> dict[str, Keys]:
    """By run, the keys that changed since its configuration was last written."""
    found = {}
    for job in jobs:
        if job.stage == "configuration" and Path(job.outputs[0]).exists():
            old = json.loads(Path(job.outputs[0]).read_text(encoding="utf-8"))
            found[job.settings["name"]] = Keys(old, job.settings)
    return found


def main(argv: list[str] | None = None) -> None:
    """Print every planned job under what causes it."""
    arguments = sys.argv[1:] if argv is None else argv
    if {"-h", "--help"} & {*arguments}:
        print(__doc__)
        return
    # First, so that `--configfile FILES` keeps what follows it.
    command = [sys.executable, "-m", "snakemake", "--dry-run", "--printshellcmds", "--nolock", "--nocolor", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit((result.stdout + result.stderr).strip())
    jobs = list(planned_jobs(result.stdout + result.stderr))
    if not jobs:
        print("nothing to be done")
        return
    keys = changed_keys(jobs)
    new = {file for job in jobs for file in (*job.outputs, record_path(job.outputs[0]))}
    groups: dict[tuple[str, ...], list[str]] = {}
    for job in jobs:
        line, cause = f"{job.stage:14} {job.outputs[0]}", causes(job, keys)
        before = [file for file in (*job.inputs, *re.findall(rf"{RESULTS}/[^,;]+", job.reason)) if file in new]
        if not cause and before:
            cause = ["an input is made anew"]
            line += f" ← {before[0]}" + f" and {len(before) - 1} more" * (len(before) > 1)
        groups.setdefault(tuple(cause or [job.reason]), []).append(line)
    print(f"{len(jobs)} jobs would run")
    for cause, lines in sorted(groups.items(), key=lambda group: group[0] == ("an input is made anew",)):
        print("\n" + "\n".join(cause))
        print("\n".join(f"    {line}" for line in sorted(lines)))


if __name__ == "__main__":
    main()
