"""Explain why the workflow would run a job: the configuration key, source module, input or missing file behind it.

Snakemake reports which jobs are due; the records beside their outputs show how these were made.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import click

from molap.config.base import ConfigError, check
from molap.config.run import RunConfig
from molap.jobs import command
from molap.jobs.digests import parts
from molap.planning.dry_run import Job, Refused, due_jobs
from molap.planning.known_code import noted_code
from molap.planning.origin import changed
from molap.planning.outputs import OUTPUTS, PROGRAMS
from molap.planning.plan import Plan
from molap.storage.files import record_path
from molap.storage.paths import RESULTS

MOST = 20
"""Number of jobs with the same cause that are listed one by one; for more, there is one line per program."""
MANY = 4
"""Largest number of names that a cause lists; for more it gives their number."""
ANEW = ("an input is made again",)


class Keys:
    """The configuration keys that changed since a run was made, and the jobs that each reaches."""

    def __init__(self, old: dict, new: dict) -> None:
        self._old = old
        self.changed = changed(old, new)
        self._before = self._plan(None)
        self._plans = {key: plan for key in self.changed if (plan := self._plan(key))}

    def _plan(self, key: str | None) -> Plan | None:
        """Return the plan before, with one key at its current value; None if that combination is not allowed."""
        values = json.loads(json.dumps(self._old))
        if key is not None:
            *sections, last = key.split(".")
            place = values
            for section in sections:
                place = place.setdefault(section, {})
            place[last] = self.changed[key][1]
        try:
            return Plan(check(RunConfig, values))
        except ConfigError:
            return None

    def behind(self, job: Job) -> list[str]:
        """Return the keys that by themselves change the settings of a job."""
        return [
            key
            for stage, wildcards in places(job)
            for key, plan in self._plans.items()
            if _settings(plan, stage, wildcards) != _settings(self._before, stage, wildcards)
        ]


def _settings(plan: Plan | None, stage: str, wildcards: dict) -> str | None:
    try:
        return plan.settings(stage, **wildcards) if plan else None
    except (KeyError, ValueError):  # the plan has no such run, task or network
        return None


def place(stage: str, file: str) -> dict[str, str] | None:
    """Return the wildcards of an output of a stage, as parsed from its path; None if the stage has no such output."""
    pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(f"{RESULTS}/{OUTPUTS[stage].template}"))
    match = re.fullmatch(pattern, file)
    return match.groupdict() if match else None


def places(job: Job) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the names of a job's output in the plan: stage and wildcards."""
    for stage in (job.program, *(stage for stage, program in PROGRAMS.items() if program == job.program)):
        if (wildcards := place(stage, job.outputs[0])) is not None:
            yield stage, wildcards


def causes(job: Job, keys: dict[str, Keys]) -> list[str]:
    """Return the causes that make a job due, in words; empty if the only cause is that its inputs are due."""
    found = ["an output is missing"] if not all(Path(file).exists() for file in job.outputs) else []
    try:
        record = json.loads(Path(record_path(job.outputs[0])).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return found
    settings = json.loads(job.settings)
    if differing := changed(record["settings"], settings):
        run = next((wildcards["run"].split("/")[0] for _, wildcards in places(job)), "")
        behind = {key: keys[run].changed[key] for key in keys[run].behind(job)} if run in keys else {}
        found += [_change(key, *values) for key, values in (behind or _as_settings(differing)).items()]
    if record["code"] != job.code:
        found.append(_source_cause(record["code"], job.program, settings))
    return found


def _as_settings(differing: dict[str, tuple]) -> dict[str, tuple]:
    return {f"settings.{path}": values for path, values in differing.items()}


def _source_cause(old: str, program: str, settings: dict) -> str:
    files = tuple(settings.get("trials", {}).get("modules", ()))
    before, now = noted_code(old), parts(f"molap.stages.{program}", files)
    if not before:
        return "source changed"
    names = [name for name in sorted({*before, *now}) if before.get(name) != now.get(name)]
    shown = [_version_change(name, before.get(name), now.get(name)) for name in names[:MANY]]
    return "source changed: " + (", ".join(shown) + f" and {len(names) - MANY} more" * (len(names) > MANY))


def _version_change(name: str, before: str | None, now: str | None) -> str:
    """Return both versions of a package, or the name of a module."""
    return f"{name} {before} → {now}" if "." in (before or now or "") else name


def _change(name: str, before: object, now: object) -> str:
    return f"{name}: {_short(before)} → {_short(now)}"


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def changed_keys(due: list[Job]) -> dict[str, Keys]:
    """Return, by run, the keys that changed since its configuration was last written."""
    found = {}
    for job in due:
        if job.program == "configuration" and Path(job.outputs[0]).exists():
            old, new = json.loads(Path(job.outputs[0]).read_text(encoding="utf-8")), json.loads(job.settings)
            found[new["name"]] = Keys(old, new)
    return found


def explain(due: list[Job]) -> dict[tuple[str, ...], list[str]]:
    """Return causes → a line for each job that has them."""
    keys, new = changed_keys(due), {file for job in due for file in (*job.outputs, record_path(job.outputs[0]))}
    groups: dict[tuple[str, ...], list[str]] = {}
    for job in due:
        line, cause = f"{job.program:14} {job.outputs[0]}", tuple(causes(job, keys))
        if not cause and (before := [file for file in job.inputs if file in new]):
            cause = ANEW
            line += f" ← {before[0]}" + f" and {len(before) - 1} more" * (len(before) > 1)
        groups.setdefault(cause or (job.reason,), []).append(line)
    return groups


def in_short(lines: list[str]) -> list[str]:
    """Return a line per job or, for more than `MOST` jobs, a line per program with their number and the first."""
    if len(lines) <= MOST:
        return lines
    programs: dict[str, list[str]] = {}
    for line in lines:
        programs.setdefault(line.split()[0], []).append(line)
    return [
        own[0] if len(own) == 1 else f"{program:14} {len(own)} jobs, the first {own[0].split()[1]}"
        for program, own in programs.items()
    ]


class PassesOn(click.Command):
    """A command that takes all arguments as they are, except for those that ask for help."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asked = [word for word in args if word in ctx.help_option_names]
        return super().parse_args(ctx, asked or ["--", *args])


@click.command("why", cls=PassesOn)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENTS OF SNAKEMAKE]...")
def main(arguments: tuple[str, ...]) -> None:
    """Print the jobs that are due under what causes them.

    That is a configuration key, a source module, an input or a missing file. Where one cause has more than 20 jobs,
    each program has one line; `snakemake -n` lists them all.

    \b
    Example:
      molap why                            # of the default targets
      molap why --configfile mine.yaml
    """
    try:
        due = due_jobs(arguments)
    except Refused as error:
        raise command.Refused(str(error)) from None
    print(f"{len(due)} jobs are due" if due else "nothing to be done")
    for cause, lines in sorted(explain(due).items(), key=lambda group: group[0] == ANEW):
        print("\n" + "\n".join(cause))
        print("\n".join(f"    {line}" for line in in_short(sorted(lines))))


if __name__ == "__main__":
    command.run(main)
