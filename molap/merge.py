"""Bring in what another machine computed for other network seeds.

    python -m molap.merge /elsewhere/results/paper

Copies into `results/` what is there and not here: everything up to the evaluations, with the records. Tables and
figures are made here from all of it, by `snakemake` with a configuration whose `seeds` are those of both; nothing else
is computed again. Each file is compared with the checksum in its record before it is taken.
"""

import argparse
import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import NamedTuple

from molap.paths import RESULTS
from molap.records import FileDamaged, checksum, read_json

MADE_HERE = ("tables", "figures", "report", "logs")
"""Folders of what depends on all seeds, or on nothing that is computed."""


class Refused(ValueError):
    """What cannot be merged; the message names the file."""


class Merged(NamedTuple):
    """What was done."""

    copied: int
    same: int
    other_bytes: list[str]
    """Outputs of no seed that are here as well, made alike, with other last bits: another machine's rounding."""


def merge(source: Path, results: Path) -> Merged:
    """Copy a run's outputs that are not here.

    Args:
        source: the folder of a run elsewhere, `…/results/NAME`.
        results: the folder `results` here.

    Raises:
        Refused: before anything is copied, if a file is damaged or missing, or was made otherwise than the one here.
    """
    records = [file for file in sorted(source.rglob("*.record.json")) if not _made_here(file.relative_to(source))]
    if not records:
        raise Refused(f"{source} holds no records of a run's jobs")
    to_copy: list[tuple[Path, Path]] = []
    same, other_bytes = 0, []
    for file in records:
        here = results / source.name / file.relative_to(source)
        record = _read(file)
        if here.exists():
            same += 1
            other_bytes += _compare(record, _read(here), file, here)
        else:
            paths = [_beside(file, name) for name in record["outputs"].values()]
            for path in paths:
                if not path.is_file() or checksum(path.read_bytes()) != record["checksums"][path.name]:
                    raise Refused(f"{path} is missing, or not what its record says")
            to_copy += [(path, here.with_name(path.name)) for path in (*paths, file)]
    now = time.time()  # one time for all: nothing that was copied looks older than what it was made from
    for path, target in to_copy:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.merging")
        shutil.copyfile(path, temporary)
        os.utime(temporary, (now, now))
        os.replace(temporary, target)
    return Merged(sum(target.name.endswith(".record.json") for _, target in to_copy), same, other_bytes)


def _made_here(path: Path) -> bool:
    return path.name == "configuration.record.json" or any(part in MADE_HERE for part in path.parts)


def _beside(record: Path, output: str) -> Path:
    return record.with_name(Path(output).name)


def _read(file: Path) -> dict:
    try:
        return read_json(file)
    except (FileDamaged, json.JSONDecodeError) as error:
        raise Refused(str(error)) from None


def _compare(theirs: dict, ours: dict, file: Path, here: Path) -> list[str]:
    """Files of other bytes, where both were made alike.

    Raises:
        Refused: if they were not, or if both computed the same seeds to other bytes.
    """
    for name in ("settings", "code"):
        if theirs[name] != ours[name]:
            raise Refused(f"{file} was made with other {name} than {here}; only results made alike can be merged")
    differ = [name for name, sum_ in theirs["checksums"].items() if ours["checksums"].get(name) != sum_]
    return [str(here.with_name(name)) for name in differ]


def main(argv: list[str] | None = None) -> None:
    """Merge, and tell what was done."""
    parser = argparse.ArgumentParser(prog="python -m molap.merge", description=main.__doc__)
    parser.add_argument("source", type=Path, help="the folder of a run elsewhere, …/results/NAME")
    parser.add_argument("--into", type=Path, default=Path(RESULTS), help="the folder results here")
    arguments = parser.parse_args(argv)
    try:
        done = merge(arguments.source, arguments.into)
    except (Refused, OSError) as error:
        sys.exit(f"molap.merge: {error}; nothing was copied" if isinstance(error, Refused) else f"molap.merge: {error}")
    print(f"{done.copied} outputs copied, {done.same} were here already")
    for path in done.other_bytes:
        print(f"{path}: made alike elsewhere, to other last bits; the one here is kept")


if __name__ == "__main__":
    main()
