"""Compare the installed packages with the pinned versions."""

from importlib import metadata
from pathlib import Path

MANY = 4
"""Largest number of packages that a message lists by name; for more it gives their number."""


def unlike_pins(file: Path) -> list[str]:
    """Return one phrase per package whose installed version differs from a constraints file (`name==version`)."""
    pins = [line.split("==") for line in file.read_text(encoding="utf-8").splitlines() if "==" in line]
    found = {name: (_installed(name), pinned.split(";")[0].strip()) for name, pinned in pins}
    return [f"{name} {new} (pinned {pinned})" for name, (new, pinned) in found.items() if new not in ("", pinned)]


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def notice(file: Path) -> str:
    """Return one line that names the packages that are not as pinned; empty if all are."""
    unlike = unlike_pins(file) if file.is_file() else []
    more = f" and {len(unlike) - MANY} more" * (len(unlike) > MANY)
    return f"packages are not as {file.name} pins them: {', '.join(unlike[:MANY])}{more}" if unlike else ""
