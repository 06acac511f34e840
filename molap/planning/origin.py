"""Results that Snakemake knows nothing of: whether their records say that they are what is planned, byte for byte.

Snakemake compares settings and source with what it noted itself. Of a result that was copied from elsewhere it noted
nothing, and would take it as it is.
"""

import json
from pathlib import Path

from molap.storage.files import FileDamaged, checksum, read_json, record_path


def flat(values: object, prefix: str = "") -> dict[str, object]:
    """Return the settings by dotted path; lists are values."""
    if not isinstance(values, dict) or not values:
        return {prefix: values}
    return {
        path: value
        for name, item in values.items()
        for path, value in flat(item, f"{prefix}.{name}" if prefix else str(name)).items()
    }


def changed(old: dict, new: dict) -> dict[str, tuple]:
    """Return dotted path → (value before, value now), of all that differ now; records hold defaults beside them."""
    before, now = flat(old), flat(new)
    return {path: (before.get(path), value) for path, value in sorted(now.items()) if before.get(path) != value}


def is_foreign(output: str, noted_mtime: float | None, settings: str, code: str) -> bool:
    """Say whether a file was neither written by Snakemake's last job nor made as planned.

    Args:
        output: a job's first output.
        noted_mtime: the time of its last change, in seconds since 1970, as Snakemake noted it; none where it did not.
        settings: those of the job, as planned; one JSON text.
        code: the digest of its source, as planned.
    """
    try:
        if Path(output).stat().st_mtime == noted_mtime:
            return False
    except OSError:  # there is no such file: nothing that could be taken for another
        return False
    try:
        record = read_json(record_path(output))
        written = record["checksums"][Path(output).name] == checksum(Path(output).read_bytes())
        return not written or record["code"] != code or bool(changed(record["settings"], json.loads(settings)))
    except (OSError, FileDamaged, KeyError, TypeError):
        return True
