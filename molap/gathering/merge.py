"""Add the results that another machine computed for other network seeds.

    molap merge /elsewhere/results/paper

Copy into `results/` the outputs that exist there but not here: everything up to the evaluations, with the records.
`snakemake`, with a configuration whose `seeds` cover both runs, then makes tables and figures from all these results
and computes nothing else again. Each file is compared with the checksum in its record before it is copied.
"""

import json
import os
import re
import shutil
import time
from pathlib import Path
from typing import NamedTuple

import click

from molap.jobs import command
from molap.jobs.surroundings import is_usual
from molap.planning.outputs import OUTPUTS
from molap.storage.files import FileDamaged, checksum, read_json
from molap.storage.paths import RESULTS, block_seeds

OF_SEEDS = {stage for stage, output in OUTPUTS.items() if "{block}" in output.template}
OF_ALL = {"corpus", "testset", "validation", "primitives"}
"""Stages whose outputs are copied along with those of network seeds, which start from them. Others are made here."""
BLOCK = re.compile(r"s\d+(-\d+)?")


class Refused(ValueError):
    """Raised when a run cannot be merged; the message names the file."""


class Merged(NamedTuple):
    """The result of a merge."""

    copied: int
    same: int
    other_bytes: list[str]
    """Outputs of no seed that exist here too, made alike, but whose last bits differ: the other machine's rounding."""


def merge(source: Path, results: Path) -> Merged:
    """Copy those of a run's outputs that do not exist here.

    Args:
        source: the folder of a run elsewhere, `…/results/NAME`.
        results: this machine's folder `results`.

    Raises:
        Refused: before anything is copied, if a file is damaged or missing, was made differently from the one here, or
            belongs to a network seed that was computed here with a different result.
    """
    records = {file: _read(file) for file in sorted(source.rglob("*.record.json"))}
    if not records:
        raise Refused(f"{source} holds no records of a run's jobs")
    _check_blocks(_blocks(source), _blocks(results / source.name), source)
    to_copy: list[tuple[Path, Path]] = []
    same, other_bytes = 0, []
    for file, record in records.items():
        if record["stage"] not in OF_SEEDS | OF_ALL:
            continue
        if not is_usual(record.get("environment")):
            raise Refused(f"{file} does not say that its job ran under the settings of JAX that are fixed here")
        here = results / source.name / file.relative_to(source)
        if here.exists():
            same += 1
            other_bytes += _compare(record, _read(here), file, here)
        else:
            paths = [_beside(file, name) for name in record["outputs"].values()]
            for path in paths:
                if not path.is_file() or checksum(path.read_bytes()) != record["checksums"][path.name]:
                    raise Refused(f"{path} is missing, or not what its record says")
            to_copy += [(path, here.with_name(path.name)) for path in (*paths, file)]
    now = time.time()  # the same time for all, so that no copy looks older than the files it was made from
    for path, target in to_copy:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.merging")
        shutil.copyfile(path, temporary)
        os.utime(temporary, (now, now))
        os.replace(temporary, target)
    return Merged(sum(target.name.endswith(".record.json") for _, target in to_copy), same, other_bytes)


def _blocks(run: Path) -> set[str]:
    """Return a run's blocks of network seeds."""
    parts = {part for file in run.rglob("*.record.json") for part in file.relative_to(run).parts[:-1]}
    return {part for part in parts if BLOCK.fullmatch(part)}


def _check_blocks(theirs: set[str], ours: set[str], source: Path) -> None:
    for block in sorted(theirs - ours):
        for own in sorted(ours):
            shared = {*block_seeds(block)} & {*block_seeds(own)}
            if shared:
                raise Refused(
                    f"{source} has network seeds in the block {block}, here is {own}: both hold seed {min(shared)}; "
                    f"take disjoint seeds, and the same seeds.per_job"
                )


def _beside(record: Path, output: str) -> Path:
    return record.with_name(Path(output).name)


def _read(file: Path) -> dict:
    try:
        return read_json(file)
    except (FileDamaged, json.JSONDecodeError) as error:
        raise Refused(str(error)) from None


def _compare(theirs: dict, ours: dict, file: Path, here: Path) -> list[str]:
    """Return the files whose bytes differ although both sides were made alike.

    Raises:
        Refused: if they were not made alike, or if both computed the same seeds with different results.
    """
    for name in ("settings", "code"):
        if theirs[name] != ours[name]:
            raise Refused(f"{file} was made with different {name} than {here}; only results made alike can be merged")
    differ = [name for name, sum_ in theirs["checksums"].items() if ours["checksums"].get(name) != sum_]
    if differ and theirs["stage"] in OF_SEEDS:
        raise Refused(f"{file.with_name(differ[0])} differs from {here.with_name(differ[0])}; take disjoint seeds")
    return [str(here.with_name(name)) for name in differ]


@click.command("merge")
@click.argument("source", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--into", type=click.Path(path_type=Path), default=Path(RESULTS), metavar="DIR", help="The folder results here."
)
@command.refusing(OSError)
def main(source: Path, into: Path) -> None:
    """Add the results that another machine computed for other network seeds.

    RUN is the folder of a run elsewhere. Nothing is copied if any file there is damaged or was made differently.

    \b
    Example:
      molap merge /elsewhere/results/paper
    """
    try:
        done = merge(source, into)
    except Refused as error:
        raise command.Refused(f"{error}; nothing was copied") from None
    print(f"{done.copied} outputs copied, {done.same} were here already")
    for path in done.other_bytes:
        print(f"{path}: made alike elsewhere, to other last bits; the one here is kept")


if __name__ == "__main__":
    command.run(main)
