"""Copy the sources of the workflow into a folder in which it can run."""

import shutil
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]

OWN_TASK = "from molap.tasks.registry import BUILT_IN\nTASKS = [BUILT_IN[0]._replace(name='late', label='T10')]\n"
"""A module of a user's: the task `late`."""


def copy_sources(folder: Path) -> None:
    """Copy all that the workflow needs, and the tiny configuration of the tests."""
    for name in ("molap", "snakemake_logger_plugin_molap", "workflow", "config", "envs"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "Snakefile", folder)
    shutil.copy(REPOSITORY / "profiles", folder, follow_symlinks=False)
    shutil.copy(REPOSITORY / "tests" / "tiny.yaml", folder)
