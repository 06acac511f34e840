"""The tasks of Yang et al. (2019), from neurogym, through the whole workflow."""

import numpy as np
import pandas as pd
import pytest
from workflow_helpers import Scratch, planned_jobs

pytestmark = pytest.mark.exhaustive
pytest.importorskip("neurogym", reason="pip install --no-deps -r envs/neurogym.txt")

FOUR = {"go": 15, "dm1": 12, "dms": 32, "dnmc": 32}
"""Tasks, and the steps of their trials."""


def test_four_of_the_twenty_tasks_run_from_the_corpus_to_every_figure(tmp_path):
    scratch = Scratch(tmp_path)
    names = [f"yang19_{name}" for name in FOUR]
    scratch.set(tasks={"modules": [f"neurogym:yang19.{name}-v0" for name in FOUR], "names": names})
    scratch.set(generalisation={"left_out": [["yang19_dm1"]]}, tune={"tasks": ["yang19_go"]})
    scratch.set(primitives={"sources": ["cca", "none"]}, dni={"kinds": ["dni-rule"]})
    scratch.set(perturbations={"kinds": ["molap-cca"], "tasks": ["yang19_go", "yang19_dms"]})
    scratch.set(figures={"example_task": "yang19_dms"})
    result = scratch.run()
    assert result.returncode == 0, result.stdout + result.stderr
    results = scratch.folder / "results/tiny"
    with np.load(results / "corpus/corpus.npz") as corpus:
        assert corpus["inputs"].shape == (32, 40, 4 * 33) and corpus["targets"].shape == (32, 40, 4 * 17)
    for name, n_steps in FOUR.items():
        with np.load(results / f"testsets/yang19_{name}.npz") as trials:
            assert trials["inputs"].shape == (n_steps, 30, 33)
    performance = pd.read_csv(results / "tables/performance.csv", keep_default_na=False)
    assert list(performance.task.unique()) == names and list(performance.label.unique()) == [*FOUR]
    assert performance.accuracy.between(0, 100).all()
    generalisation = pd.read_csv(results / "tables/generalisation.csv", keep_default_na=False)
    assert "yang19_dm1" in set(generalisation.task)
    assert (results / "figures/fig5.png").is_file() and (results / "figures/fig_dni.png").is_file()
    assert scratch.planned() == {}


def test_all_twenty_are_planned(tmp_path):
    result = Scratch(tmp_path).run("--dry-run", config="config/yang19.yaml")
    planned = planned_jobs(result.stdout)
    assert result.returncode == 0 and planned["separate"] == planned["testset"] == 20, result.stdout + result.stderr
    assert planned["head"] == 20 * 3 + 4 * 2 and planned["fig5"] == 1
