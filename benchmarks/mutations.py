"""Break the code in sixteen places, one at a time, and print which test of the first tier notices.

    python benchmarks/mutations.py

The sources are copied to a temporary folder, where one line is changed and the tests nearest to it run until one fails.
The exit status is 1 if a change is not noticed.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from sources import REPOSITORY

MUTATIONS = {
    "gradient: a term changes its sign": (
        "networks/rnn.py",
        "+ g_activity * h + carry)",
        "+ g_activity * h - carry)",
        "science/test_network.py science/test_training.py",
    ),
    "gradient: W_rec is transposed": (
        "networks/rnn.py",
        "(product(delta, params.w_rec), h_b",
        "(product(delta, params.w_rec.T), h_b",
        "science/test_network.py science/test_training.py",
    ),
    "heads: the mask of W_rec is dropped": (
        "networks/masks.py",
        "_existing(params, w_rec=False, b",
        "_existing(params, b",
        "science/test_training.py science/test_modules.py science/test_frozen_weights.py",
    ),
    "modules: the block is one unit too short": (
        "networks/masks.py",
        "module * size)",
        "module * size - 1)",
        "science/test_training.py science/test_modules.py science/test_frozen_weights.py",
    ),
    "criterion: the window is one step too long": (
        "evaluation/criterion.py",
        "signals[-settings.window :]",
        "signals[-settings.window - 1 :]",
        "science/test_evaluation.py",
    ),
    "criterion: the fixation's tolerance is dropped": (
        "evaluation/criterion.py",
        "        allowed[:, rule.fixation] = settings.fixation_tolerance\n",
        "        pass\n",
        "science/test_evaluation.py",
    ),
    "silencing: rows instead of columns": (
        "evaluation/perturbations.py",
        "network.w_rec).at[:, hit]",
        "network.w_rec).at[hit, :]",
        "science/test_perturbations.py",
    ),
    "DNI: one task too many in the average": (
        "training/dni.py",
        "memory.n_tasks + 1 + counter_offset",
        "memory.n_tasks + 2 + counter_offset",
        "science/test_dni.py",
    ),
    "DNI: the projection keeps what it should remove": (
        "training/dni.py",
        "- (vectors * shrunk)",
        "+ (vectors * shrunk)",
        "science/test_dni.py",
    ),
    "CCA: one side is not whitened": (
        "primitives/fit.py",
        "(y.samples @ y_white) / len",
        "y.samples / len",
        "science/test_primitives.py",
    ),
    "tasks: anti is pro": (
        "tasks/delay.py",
        'return -1.0 if settings.anti == "opp',
        'return 1.0 if settings.anti == "opp',
        "science/test_tasks.py",
    ),
    "training: every chunk begins with the first batch": (
        "training/loop.py",
        "_keys_of_step(key, start + i,",
        "_keys_of_step(key, i,",
        "science/test_training.py",
    ),
    "intervals: n degrees of freedom": ("analysis/intervals.py", "several - 1)", "several)", "analysis"),
    "planning: a setting is left out for the tasks that it affects": (
        "planning/setting_parts.py",
        "if ANTI_TASKS.isdisjoint(names) and ",
        "if ",
        "machinery/test_config.py workflow/test_contract.py",
    ),
    "planning: DNI's alpha is left out": (
        "planning/setting_parts.py",
        "if not first or name not in",
        "if name not in",
        "machinery/test_config.py workflow/test_contract.py",
    ),
    "robustness: relative to the best constant output": (
        "analysis/robustness.py",
        "100 * sweeps.accuracy / sweeps.intact",
        "100 * sweeps.accuracy / sweeps.best_constant",
        "science/test_robustness.py",
    ),
}
"""Map each mutation to the package's file, the text to replace, its replacement, and the tests to run."""


def copied(folder: Path) -> None:
    """Copy what git knows of the working tree."""
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=REPOSITORY, text=True).split("\0")
    for name in filter(None, names):
        if (REPOSITORY / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name, follow_symlinks=False)


def first_failure(tests: Iterable[str], change: tuple[str, str, str] | None = None) -> str | None:
    """Run tests on a copy of the sources, changed or not, until one fails; return its name, or None if all pass."""
    with tempfile.TemporaryDirectory() as folder:
        copied(Path(folder))
        if change:
            file, old, new = change
            path = Path(folder, "molap", file)
            text = path.read_text(encoding="utf-8")
            if text.count(old) != 1:
                sys.exit(f"{file} has {text.count(old)} times {old!r}")
            path.write_text(text.replace(old, new), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", *(f"tests/{name}" for name in tests)]
        environment = dict(os.environ, PYTHONPATH=folder)
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    failed = re.search(r"^FAILED (\S+)", result.stdout, re.MULTILINE)
    if not failed and result.returncode:
        sys.exit(result.stdout + result.stderr)  # the tests could not run
    return failed[1] if failed else None


def main() -> None:
    """Print a row per mutation: what it changes, the first test that fails, and the seconds until then."""
    if failed := first_failure({name for *_, tests in MUTATIONS.values() for name in tests.split()}):
        sys.exit(f"{failed} fails without any change")
    unnoticed = 0
    print("| mutation | noticed by | s |\n|---|---|---|", flush=True)
    for what, (*change, tests) in MUTATIONS.items():
        start = time.time()
        failed = first_failure(tests.split(), tuple(change))
        unnoticed += failed is None
        print(f"| {what} | {f'`{failed}`' if failed else '**nothing**'} | {time.time() - start:.0f} |", flush=True)
    sys.exit(unnoticed > 0)


if __name__ == "__main__":
    main()
