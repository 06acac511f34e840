"""Results that Snakemake did not make: check in their records that they are what is planned, byte for byte.

They must also have been computed under the settings of JAX, XLA and threads that jobs have here; the processor may be
another, whose rounding `molap merge` reports.

Snakemake compares settings and source with its own notes. It has no notes on a result that was copied from elsewhere,
and would accept it as it is.
"""

import json
from pathlib import Path

from molap.jobs.surroundings import is_usual
from molap.storage.files import FileDamaged, checksum, read_json, record_path


def flat(values: object, prefix: str = "") -> dict[str, object]:
    """Return settings by dotted path; lists count as values."""
    if not isinstance(values, dict) or not values:
        return {prefix: values}
    return {
        path: value
        for name, item in values.items()
        for path, value in flat(item, f"{prefix}.{name}" if prefix else str(name)).items()
    }


def changed(old: dict, new: dict) -> dict[str, tuple]:
    """Return dotted path → (value before, value now) for all values that differ now; records also contain defaults."""
    before, now = flat(old), flat(new)
    return {path: (before.get(path), value) for path, value in sorted(now.items()) if before.get(path) != value}


def is_foreign(output: str, noted_mtime: float | None, settings: str, code: str) -> bool:
    """Return whether a file was neither written by Snakemake's last job nor made as planned.

    Args:
        output: a job's first output.
        noted_mtime: the time of its last change, in seconds since 1970, as noted by Snakemake; None if it noted none.
        settings: the planned settings of the job, as one JSON text.
        code: the planned digest of its source.
    """
    try:
        if Path(output).stat().st_mtime == noted_mtime:
            return False
    except OSError:  # without a file, nothing can be foreign
        return False
    try:
        record = read_json(record_path(output))
        written = record["checksums"][Path(output).name] == checksum(Path(output).read_bytes())
        usual = is_usual(record.get("environment"))
        other = not written or not usual or record["code"] != code
        return other or bool(changed(record["settings"], json.loads(settings)))
    except (OSError, FileDamaged, KeyError, TypeError):
        return True
