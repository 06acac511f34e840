"""State from the records where the results come from: seeds, time, machines, versions and digests."""

from collections.abc import Mapping, Sequence

import pandas as pd

from molap.report.article.words import count, number, table_of, whole
from molap.report.provenance import files, makers, sources, span, stage_times
from molap.storage.files import canonical_json, checksum

MOST = 40
"""Largest number of rows of versions and machines on the page; a run on many machines has more."""
SHOWN = 16
"""Hexadecimal digits of a SHA-256 that are printed."""


def cost(records: Sequence[dict]) -> dict:
    """Return the time that the run took."""
    times = stage_times(records)
    total = times.loc["all"]
    longest = [name for name in times.index if name != "all"][:3]
    return {
        "jobs": count(len(records), "job"),
        "hours": number(total.cpu_s / 3600, 2),
        "memory": whole(total.largest_memory_mb),
        "longest": [f"{name} ({number(times.share[name], 0)} %)" for name in longest],
    }


def provenance(values: Mapping, records: Sequence[dict], shown: Mapping[str, str]) -> dict:
    """Return the last page: facts, versions and machines, stages with time and source digest, files with SHA-256.

    Args:
        values: the configuration.
        records: the records of all jobs behind the tables and figures.
        shown: the paths of these tables and figures, by name.
    """
    first, last = span(records)
    seeds = values["seeds"]
    numbers = range(seeds["first"], seeds["first"] + seeds["networks"])
    of_files = files(sorted(shown.values()))
    digests = of_files["SHA-256"].tolist()
    facts = [
        ("run", values["name"]),
        ("network seeds", ", ".join(map(str, numbers))),
        ("seed of corpus, batches, test sets", str(seeds["data"])),
        ("first job started (UTC)", first),
        ("last job ended (UTC)", last),
        ("SHA-256 of the configuration", checksum(canonical_json(values).encode())[:SHOWN]),
        ("SHA-256 of the list of files", checksum(canonical_json(digests).encode())[:SHOWN]),
    ]
    made = makers(records)
    return {
        "facts": table_of(("", ""), facts, left=2, wide=(1,)),
        "makers": table_of(("what", "value", "jobs"), [*made.head(MOST).itertuples(index=False)], left=2, wide=(1,)),
        "stages": table_of(("stage", "jobs", "CPU, s", "MB", "source"), _stages(records)),
        "files": table_of(
            ("file", "SHA-256"),
            [(path.rpartition("/")[2], digest[:SHOWN]) for path, digest in zip(of_files.file, digests, strict=True)],
            left=2,
        ),
    }


def _stages(records: Sequence[dict]) -> list[tuple]:
    digests = sources(records).groupby("stage")["source digest"].agg(list)
    rows = []
    for stage, row in stage_times(records).iterrows():
        own = digests.get(stage, [])
        shown = own[0] if len(own) == 1 else f"{len(own)} digests" if own else ""
        rows.append((str(stage), whole(row.jobs), whole(row.cpu_s), _whole(row.largest_memory_mb), shown))
    return rows


def _whole(value: float) -> str:
    return "" if pd.isna(value) else whole(value)
