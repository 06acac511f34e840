"""The whole workflow on tasks of unlike lengths: of the paper, of 150 steps, and with trials in a file."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from workflow_helpers import REPOSITORY, Scratch

pytestmark = pytest.mark.exhaustive

NAMES = ["mem_pro", "integrate", "recorded"]


def test_unlike_tasks_run_from_the_corpus_to_every_figure_and_again_what_changed(tmp_path):
    scratch = Scratch(tmp_path)
    text = (REPOSITORY / "docs" / "your-own.md").read_text(encoding="utf-8")
    (integrate,) = re.findall(r"```python\n# integrate.py\n(.*?)```", text, re.DOTALL)
    (scratch.folder / "integrate.py").write_text(integrate)
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(40, 30, 2)), rng.normal(size=(40, 30, 1))
    np.savez(scratch.folder / "recorded.npz", inputs=inputs, targets=targets, mask=rng.uniform(size=(40, 30, 1)))
    scratch.set(tasks={"modules": ["integrate.py", "recorded.npz"], "names": NAMES})
    scratch.set(generalisation={"left_out": [["integrate"]]}, tune={"tasks": ["mem_pro"]})
    scratch.set(perturbations={"tasks": NAMES, "kinds": ["molap-cca"]}, figures={"example_task": "integrate"})
    scratch.set(primitives={"sources": ["cca", "none"]}, dni={"kinds": ["dni-rule"]})
    result = scratch.run()
    assert result.returncode == 0, result.stdout + result.stderr
    results = scratch.folder / "results/tiny"
    with np.load(results / "corpus/corpus.npz") as corpus:
        assert corpus["inputs"].shape == (150, 40, 3 + 2 + 2) and corpus["targets"].shape == (150, 40, 3 + 2 + 1)
        assert list(corpus["target_names"])[-1] == "recorded:output1"
    for task, n_steps in zip(NAMES, (110, 150, 40), strict=True):
        with np.load(results / f"testsets/{task}.npz") as trials:
            assert trials["inputs"].shape[:2] == (n_steps, 30)
    performance = pd.read_csv(results / "tables/performance.csv", keep_default_na=False)
    assert set(performance.task) == {*NAMES} and performance.accuracy.between(0, 100).all()
    settings = json.loads((results / "corpus/corpus.record.json").read_text())["settings"]
    assert settings["lengths"] == "pad"
    assert scratch.planned() == {}
    scratch.edit("integrate.py", "jnp.sign(strength)], axis", "-jnp.sign(strength)], axis")
    planned = scratch.planned()
    assert {"corpus", "separate", "sequence", "testset"} <= planned.keys() and planned["separate"] == 1
    scratch.edit("integrate.py", "-jnp.sign(strength)], axis", "jnp.sign(strength)], axis")
    scratch.set(corpus={"n_trials": 40, "lengths": "truncate"})
    planned = scratch.planned()
    assert planned["corpus"] == 2 and not {"separate", "sequence", "testset"} & planned.keys()
