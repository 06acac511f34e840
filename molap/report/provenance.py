"""Summarise a finished run's records: time and memory by stage, versions, machines, source digests, files."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from molap.storage.files import checksum

COLUMNS = ["jobs", "startup_s", "compilation_s", "computing_s", "cpu_s", "share", "largest_memory_mb"]


def stage_times(records: Sequence[dict]) -> pd.DataFrame:
    """Return, by stage, the sum of CPU seconds, its share of the total in percent, and the largest peak memory.

    Start-up lasts until the settings are read. JAX measures compilation. Computing is the rest.
    """
    table = pd.DataFrame([{"stage": record["stage"]} | record["time"] for record in records])
    table["computing_s"] = table.cpu_s - table.startup_s - table.compilation_s
    groups = table.groupby("stage")
    found = groups[["startup_s", "compilation_s", "computing_s", "cpu_s"]].sum()
    found["jobs"], found["largest_memory_mb"] = groups.size(), groups.peak_memory_mb.max()
    found.loc["all"] = found.sum()
    found.loc["all", "largest_memory_mb"] = table.peak_memory_mb.max()
    found["share"] = 100 * found.cpu_s / found.cpu_s["all"]
    return found[COLUMNS].sort_values("cpu_s", ascending=False).astype({"jobs": int})


def span(records: Sequence[dict]) -> tuple[str, str]:
    """Return the start of the first job and the end of the last, in UTC."""
    first = min(record["time"]["start"] for record in records)
    last = max(record["time"]["end"] for record in records)
    start, end = (datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M") for time in (first, last))
    return start, end


def makers(records: Sequence[dict]) -> pd.DataFrame:
    """Return the package versions, source commits and machines behind the outputs, with the number of jobs of each."""
    rows = []
    for name in dict.fromkeys(name for record in records for name in record["versions"]):
        rows += _counted(name, [record["versions"].get(name) for record in records])
    rows += _counted("source, git commit", [_commit(record) for record in records])
    for name in ("system", "processor", "cores"):
        rows += _counted(f"machine, {name}", [(record.get("machine") or {}).get(name) for record in records])
    return pd.DataFrame(rows, columns=["what", "value", "jobs"])


def _counted(name: str, values: list) -> list[tuple[str, str, int]]:
    return [(name, str(value or "not recorded"), n) for value, n in Counter(values).most_common()]


def _commit(record: dict) -> str | None:
    git = record.get("git") or {}
    return git.get("commit") and f"{git['commit'][:12]}{', with changes' if git.get('dirty') else ''}"


def sources(records: Sequence[dict]) -> pd.DataFrame:
    """Return the digests of the source that each stage ran, and the number of jobs that ran it."""
    counts = Counter((record["stage"], record["code"]) for record in records)
    return pd.DataFrame(
        [(*place, n) for place, n in sorted(counts.items())], columns=["stage", "source digest", "jobs"]
    )


def files(paths: Sequence[str]) -> pd.DataFrame:
    """Return the sizes and SHA-256 checksums of files."""
    contents = {path: Path(path).read_bytes() for path in paths}
    rows = [(path, len(content) / 1e3, checksum(content)) for path, content in contents.items()]
    return pd.DataFrame(rows, columns=["file", "size (kB)", "SHA-256"])
