"""Gather finished runs in `docs/reference`: tables, figures and verdicts of all their network seeds together.

    molap seeds results/paper

The runs may come from different machines and days, each with its own network seeds. The stages themselves recompute
the results that depend on several seeds (intervals, verdicts and figures), with the settings in the run's records and
the gathered tables in place of the run's. The claims are those of the current config/claims.yaml. Where a figure shows
a single network, it is one of the run that was added last.
"""

import gzip
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import click
import pandas as pd

from molap.claims.model import TABLES as CLAIM_TABLES
from molap.claims.page import small
from molap.claims.reading import read_claims
from molap.jobs import command
from molap.jobs.forks import Forks
from molap.storage.files import FileDamaged, canonical_json, read_json, write_table

SEED = "network_seed"
NETWORK = ("switch", "strategy", "source", SEED)
GATHERED = (
    *("performance", "robustness", "areas", "generalisation", "forgetting", "continual", "learning", "curves"),
    "modules",
)
"""Tables with at least one row per network."""
COUNTED = ("components", "table1")
"""Tables that do not depend on network seeds."""
DERIVED = ("differences", "claims")
LARGE = 200_000
"""Size in bytes above which a table is compressed."""
TRAINING = ("module", "head", "separate", "sequence", "evaluation", "perturbation")
"""Stages whose source must be the same in all gathered runs."""
UNRELATED = ("attribution", "claims", "figures", "modules", "tune")
CHOICES = (("dni", "kinds"), ("perturbations", "kinds"), ("generalisation", "sources"))
"""Sections and keys that choose what is computed, but do not change any row of the results."""


def lies_in(run: Path, name: str) -> Path:
    """Return the folder of a run that contains a table."""
    return run / ("modules" if name == "modules" else "tables")


def read(folder: Path, name: str) -> pd.DataFrame | None:
    """Return a table, or None if it does not exist."""
    files = [file for file in (folder / f"{name}.csv", folder / f"{name}.csv.gz") if file.exists()]
    return pd.read_csv(files[0], keep_default_na=False, na_values=[""]) if files else None


def existing(folder: Path, name: str) -> pd.DataFrame:
    """Return a table that must exist.

    Raises:
        FileNotFoundError: if the table does not exist.
    """
    table = read(folder, name)
    if table is None:
        raise FileNotFoundError(f"{folder} has no {name}.csv")
    return table


def write(table: pd.DataFrame, folder: Path, name: str) -> None:
    """Write a table, compressed if it is large; the same table always gives the same bytes."""
    for suffix in (".csv", ".csv.gz"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)
    path = folder / f"{name}.csv"
    write_table(path, table)
    if path.stat().st_size > LARGE:
        path.with_name(f"{name}.csv.gz").write_bytes(gzip.compress(path.read_bytes(), mtime=0))
        path.unlink()


def joined(there: pd.DataFrame | None, new: pd.DataFrame) -> pd.DataFrame:
    """Return both tables, ordered by network seed; where both have a network, the new rows replace the old."""
    if there is not None:
        names = [name for name in NETWORK if name in new]
        networks = set(map(tuple, new[names].to_numpy()))
        other = [row not in networks for row in map(tuple, there[names].to_numpy())]
        new = pd.concat([there[other], new], ignore_index=True)
    return new.sort_values(SEED, kind="stable", ignore_index=True)


def made_by(run: Path) -> dict:
    """Return a run's settings (except its seeds) and source, and the commit, machine and versions by seed."""
    configuration = read_json(run / "configuration.json")
    configuration = {section: values for section, values in configuration.items() if section not in UNRELATED}
    configuration["seeds"] = {"data": configuration["seeds"]["data"]}
    for section, name in CHOICES:
        del configuration[section][name]
    files = [file for file in sorted(run.rglob("*.record.json")) if "tables" not in file.parts]
    records = [read_json(file) for file in files]
    records = [record for record in records if record["stage"] in TRAINING]
    codes = {record["stage"]: record["code"] for record in records}
    records.sort(key=lambda record: record["time"]["end"])  # the last job of a seed describes it
    seeds = {
        seed: {
            "commit": record["git"].get("commit", ""),
            "processor": record["machine"]["processor"],
            "versions": " ".join(f"{name} {version}" for name, version in sorted(record["versions"].items())),
        }
        for record in records
        for seed in record["settings"]["seeds"]
    }
    return {"alike": {"configuration": configuration, "code": codes}, "seeds": seeds}


def check_alike(alike: dict, there: Path) -> dict:
    """Check that a run was made like those already gathered, and return what is known about all of them.

    Raises:
        SystemExit: if it was made differently; the message gives the first difference.
    """
    if not there.exists():
        return alike
    before = json.loads(there.read_text(encoding="utf-8"))
    for part, values in alike.items():
        for name, value in values.items():
            if before.get(part, {}).get(name, value) != value:
                sys.exit(
                    f"{there}: {part} {name} is {before[part][name]}, and {value} in this run; nothing was changed"
                )
    return before | {part: before.get(part, {}) | values for part, values in alike.items()}


def stage(record: dict, replaced: dict[str, Path], output: Path, shell: str) -> None:
    """Run a stage as recorded, but with some inputs replaced, and let its outputs replace the recorded ones.

    Args:
        record: the record of a job of the run.
        replaced: path → the file that replaces it; the stage's outputs are added to it.
        output: the folder for the outputs.
        shell: the commands that a job's shell runs first (`molap.jobs.forks.Forks.start`).
    """
    python = "python" if shell else sys.executable
    words = [python, "-m", f"molap.stages.{record['stage']}", "--settings", canonical_json(record["settings"])]
    for name, path in record["inputs"].items():
        words += ["--input", f"{name}={replaced.get(path, path)}"]
    for name, path in record["outputs"].items():
        target = output / Path(path).parent.name / Path(path).name
        target.parent.mkdir(parents=True, exist_ok=True)
        words += ["--output", f"{name}={target}"]
        replaced[path] = target
    print(f"{record['stage']}: {', '.join(record['outputs'].values())}")
    done = subprocess.run(["bash", "-c", shell + shlex.join(words)], stdout=subprocess.DEVNULL)
    if done.returncode:  # the stage has printed the reason
        sys.exit(f"{record['stage']} could not be made again from the gathered tables")


def gather(run: Path, to: Path) -> None:
    """Add the seeds of a run to the tables.

    Args:
        run: results/NAME.
        to: the folder of the gathered results.
    """
    made = made_by(run)
    alike = check_alike(made["alike"], to / "made_with.json")
    tables = to / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    for name in (*GATHERED, *COUNTED):
        new = read(lies_in(run, name), name)
        if new is not None and name == "curves":  # curves of all tasks would be larger than everything else
            new = new[new.stage == read_json(run / "figures" / "fig2.record.json")["settings"]["task"]]
        if new is not None:
            write(joined(read(tables, name), new) if name in GATHERED else new, tables, name)
    there = existing(run / "tables", "performance")[SEED].unique()
    seeds = pd.DataFrame([{SEED: seed, **made["seeds"][seed]} for seed in there])
    write(joined(read(tables, "seeds"), seeds), tables, "seeds")
    (to / "made_with.json").write_text(json.dumps(alike, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def redraw(run: Path, to: Path) -> None:
    """Make intervals, verdicts, figures and the page of verdicts from the gathered tables."""
    with tempfile.TemporaryDirectory() as folder, Forks() as shell:
        work, replaced = Path(folder), {}
        for name in (*GATHERED, *COUNTED):
            table = read(to / "tables", name)
            if table is not None:
                write_table(work / f"{name}.csv", table)
                replaced[f"{lies_in(run, name)}/{name}.csv"] = work / f"{name}.csv"
        records = [run / "tables" / f"{name}.record.json" for name in DERIVED]
        records += sorted((run / "figures").glob("*.record.json")) + sorted((run / "modules").glob("fig*.record.json"))
        for record in filter(Path.exists, (*records, run / "report" / "claims.record.json")):
            values = read_json(record)
            if values["stage"] == "claims":  # judge the current claims on all gathered tables
                values["settings"] = {"claims": read_claims(None).model_dump(mode="json")}
                values["inputs"] |= {
                    name: path for path, file in replaced.items() if (name := file.stem) in CLAIM_TABLES
                }
            stage(values, replaced, work, shell)
        for name in (*DERIVED, "claim_parts"):
            if (made := read(work / "tables", name)) is not None:  # a run without left-out tasks has no differences
                write(made, to / "tables", name)
        (to / "figures").mkdir(exist_ok=True)
        for figure in sorted(work.glob("*/fig*.png")):
            (to / "figures" / figure.name).write_bytes(small(figure))
        page = (work / "report" / "claims.md").read_text(encoding="utf-8")
        for folder in ("figures", "modules"):
            page = page.replace(f"](../{folder}/", "](figures/")
        title, rest = page.split("\n", maxsplit=1)
        n = len(existing(to / "tables", "seeds"))
        page = f"{title}, {n} network seed{'s' * (n > 1)}\n{rest}"  # several gathered runs have the same name
        (to / "verdicts.md").write_text(page, encoding="utf-8")


def _finished(context: click.Context, parameter: click.Parameter, run: Path) -> Path:
    if not (run / "configuration.json").exists():
        raise click.BadParameter(f"{run} has no configuration.json; give the folder of a finished run, results/NAME")
    return run


def of_a_run(function: Callable) -> Callable:
    """Add to a command its arguments: the run to gather, and the folder for the gathered results."""
    folder = click.Path(file_okay=False, path_type=Path)
    to = click.option("--to", type=folder, default=Path("docs/reference"), metavar="DIR", help="What is added to.")
    return click.argument("run", type=click.Path(path_type=Path), metavar="RUN", callback=_finished)(to(function))


@click.command("seeds")
@of_a_run
@command.refusing(OSError, FileDamaged)
def main(run: Path, to: Path) -> None:
    """Add the network seeds of a run to the reference results.

    RUN is a folder `results/NAME`. Tables, figures and verdicts then cover all seeds gathered so far.

    \b
    Example:
      molap seeds results/paper
    """
    gather(run, to)
    redraw(run, to)


if __name__ == "__main__":
    command.run(main)
