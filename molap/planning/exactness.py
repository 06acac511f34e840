"""Say in one line what on the command line, or in a profile, makes Snakemake keep results that are not as planned."""

from collections.abc import Collection
from typing import Any

TRIGGERS = ("code", "input", "mtime", "params", "software-env")
"""What makes Snakemake run a job again; the workflow's profiles name all of them."""
MEANINGS = {
    "code": "rules",
    "input": "sets of inputs",
    "mtime": "newer inputs",
    "params": "settings and source",
    "software-env": "software environments",
}


def inexact(triggers: Collection[str], trusts_cache: bool = False) -> list[str]:
    """Return a line for everything that takes the exactness of re-runs away.

    Args:
        triggers: those of `--rerun-triggers` that are in force.
        trusts_cache: whether `--trust-io-cache` is.
    """
    missing = [name for name in TRIGGERS if name not in triggers]
    found = []
    if missing:
        changes = ", ".join(MEANINGS[name] for name in missing)
        found.append(
            f"--rerun-triggers lacks {', '.join(missing)}: results stay where these change: {changes}; a profile "
            "or the command line sets it"
        )
    if trusts_cache:
        found.append("--trust-io-cache: files that were removed or changed since the last run are not noticed")
    return found


def warn_of_inexact(workflow: Any) -> None:
    """Print these lines for Snakemake's `workflow`, once: its jobs are processes of their own and stay silent."""
    from snakemake.logging import logger

    if workflow.is_main_process:
        for line in inexact({str(name) for name in workflow.rerun_triggers}, workflow.dag_settings.trust_io_cache):
            logger.warning(line)


def touched(file: str) -> str:
    """Return the line about an output that `--touch` marks as current although its record says otherwise."""
    return (
        f"--touch: {file} was not made as planned, by its record, and counts as current from now on (so may others); "
        "to have it made: rm it, then snakemake without --touch"
    )
