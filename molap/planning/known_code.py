"""The source behind each digest, stored beside the results, so that a changed module can be named later."""

import json
from pathlib import Path

from molap.jobs.digests import parts
from molap.storage.files import write_json
from molap.storage.paths import RESULTS

FILE = Path(RESULTS) / ".sources.json"


def note_code(programs: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    """Record the parts of digests that were planned: digest → (program's module, files of the user)."""
    known = _read()
    new = {digest: of for digest, of in programs.items() if digest not in known}
    if new:
        known |= {digest: parts(*of) for digest, of in new.items()}
        write_json(FILE, known)


def noted_code(digest: str) -> dict[str, str]:
    """Return the parts of a digest (see `parts`); empty if the digest was planned elsewhere."""
    return _read().get(digest, {})


def _read() -> dict[str, dict[str, str]]:
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
