"""What source a digest stands for, kept beside the results, so that a changed module can be named later."""

import json
from pathlib import Path

from molap.digests import closure, module_digest
from molap.paths import RESULTS
from molap.records import write_json

FILE = Path(RESULTS) / ".sources.json"


def remember(programs: dict[str, tuple[str, tuple[str, ...]]]) -> None:
    """Add the modules and their digests behind digests that were planned: digest → (module, files of the user)."""
    known = _read()
    new = {digest: of for digest, of in programs.items() if digest not in known}
    if new:
        known |= {digest: modules(*of) for digest, of in new.items()}
        write_json(FILE, known)


def modules(module: str, files: tuple[str, ...]) -> dict[str, str]:
    """A program's modules, with the user's files that it reads, and the digest of each as it is now."""
    return {name: module_digest(name) for name in sorted({*closure(module), *files})}


def remembered(digest: str) -> dict[str, str]:
    """Module → digest of its syntax; empty for a digest that was planned elsewhere."""
    return _read().get(digest, {})


def _read() -> dict[str, dict[str, str]]:
    try:
        found = json.loads(FILE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
