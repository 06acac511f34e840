"""The files of a figure, for tests that save one."""

from pathlib import Path


def figure_files(folder: Path, name: str) -> dict[str, str]:
    """Return the outputs of a program that draws."""
    return {kind: str(folder / f"{name}.{kind}") for kind in ("png", "svg", "pdf")} | {
        "data": str(folder / f"{name}.csv")
    }
