"""Jobs that ended without reporting anything; they are named at the end of a failed run."""

import json
from collections.abc import Iterator
from pathlib import Path

from molap.jobs.failure import MORE_MEMORY
from molap.storage.found import ATTEMPT, find_records, is_running


def killed_jobs(results: str | Path, since: float) -> Iterator[str]:
    """Yield a line for every job that started after `since` (seconds since 1970) without a record, error or process."""
    for found in find_records(Path(results)):
        if not found.file.name.endswith(ATTEMPT) or is_running(found.file):
            continue
        try:
            attempt = json.loads(found.read())
        except (OSError, ValueError):
            continue
        if "error" not in attempt and attempt["start"] >= since:
            log = f"; log: {attempt['log']}" if attempt["log"] else ""
            yield (
                f"molap {attempt['stage']} failed: killed before it wrote {attempt['outputs']['output']}, by hand or "
                f"because memory ran out; if it was memory, {MORE_MEMORY}{log}"
            )
