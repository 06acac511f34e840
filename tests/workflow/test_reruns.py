"""What Snakemake plans after a change to the finished tiny run: what depends on it, and nothing else."""

import os
import subprocess
import sys
from collections import Counter

import pytest
import yaml
from expected_jobs import (
    AFTER_NETWORKS,
    AFTER_SWEEPS,
    ALL_NETWORKS,
    GENERALISED,
    LEARNED,
    NOT_SHARED,
    OF_ONE_KIND,
    ONLY_SEPARATE,
    PERTURBED_FIGURES,
    SCORES,
    SWEEPS,
    reported,
)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("molap/networks/rnn.py", '"""The recurrent network', '"""The  network'),
        ("molap/training/loop.py", "    # Many steps in one program", "    # A scan"),
        ("molap/config/tasks.py", "N_STEPS = 110\n", "N_STEPS = 110  # steps\n\n\n"),
    ],
)
def test_comments_docstrings_and_layout_plan_nothing(changed, file, old, new):
    changed.edit(file, old, new)
    assert changed.planned() == {}


@pytest.mark.parametrize(
    ("file", "old"),
    [
        ("molap/config/network.py", "Units of each separate network."),
        ("molap/planning/tables.py", "weights trained and in all per strategy, source and stage"),
    ],
)
def test_a_reworded_description_reruns_the_pages_that_print_it_alone(changed, file, old):
    changed.edit(file, old, "Reworded.")
    assert changed.planned() == {"pages": 1}


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        ("molap/figures/counts.py", "ylim=(50, 3e7)", "ylim=(10, 3e7)", {"fig1c": 1}),
        (
            "molap/figures/style.py",
            '"font.size": 9',
            '"font.size": 8',
            dict.fromkeys(("fig1c", "fig2", "fig_dni", "fig5", "fig_learning", "fig_scaling"), 1) | PERTURBED_FIGURES,
        ),
        (
            "molap/evaluation/criterion.py",
            "deviation <= tolerances",
            "deviation < tolerances",
            {"evaluation": 20, "learned": 6, "performance": 1, "failures": 1, "fig2": 1, "fig_dni": 1}
            | SCORES
            | LEARNED
            | GENERALISED
            | {"perturbation": 4}
            | AFTER_SWEEPS,
        ),
        (
            "molap/networks/masks.py",
            "size = n_units // n_modules",
            "size = int(n_units / n_modules)",
            {"module": 8} | ALL_NETWORKS,
        ),
        ("molap/networks/rnn.py", "carry.sum(axis=0)", "carry.sum(0)", {"reservoir": 1, "module": 8} | ALL_NETWORKS),
        (
            "molap/primitives/fit.py",
            "> 1e-12 *",
            "> 1e-11 *",
            {"primitives": 4, "components": 1, "module": 8, "head": 8, "evaluation": 8, "learned": 2, "example": 1}
            | AFTER_NETWORKS
            | GENERALISED
            | OF_ONE_KIND,
        ),
        (
            "molap/stages/separate.py",
            "draw_w_rec(seed, ",
            "draw_w_rec(seed + 0, ",
            ONLY_SEPARATE,
        ),
        (
            "molap/training/dni.py",
            "values / (values + alpha)",
            "1 / (1 + alpha / np.maximum(values, 1e-300))",
            {"sequence": 3, "evaluation": 3, "learned": 1} | SCORES | AFTER_NETWORKS,
        ),
    ],
)
def test_a_changed_module_reruns_what_imports_it(changed, file, old, new, expected):
    changed.edit(file, old, new)
    assert changed.planned() == reported(expected)


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"evaluation": {"tolerance": 0.2}},
            {
                "evaluation": 20,
                "learned": 6,
                "performance": 1,
                "failures": 1,
                "fig2": 1,
                "fig_dni": 1,
                "perturbation": 4,
            }
            | SCORES
            | LEARNED
            | GENERALISED
            | AFTER_SWEEPS,
        ),
        ({"separate": {"learning_rate": 0.001}}, ONLY_SEPARATE),
        (
            {"dni": {"alpha": 0.1}},
            {"sequence": 2, "evaluation": 3, "learned": 1} | SCORES | AFTER_NETWORKS,
        ),
        ({"dni": {"joint_steps": 7}}, {"joint": 1, "evaluation": 3, "learned": 1} | AFTER_NETWORKS),
        ({"tracking": {"interval_s": 20}}, {}),
        (
            {"primitives": {"pca": "joint"}},
            {"primitives": 2, "components": 1, "module": 4, "head": 4, "evaluation": 4, "learned": 1}
            | AFTER_NETWORKS
            | GENERALISED,
        ),
        ({"figures": {"example_trials": 5}}, {"example": 2, "fig2": 1, "lesioned": 1, "fig3": 1}),
        ({"perturbations": {"noise": [0.01, 0.02]}}, {"perturbation": 4} | AFTER_SWEEPS),
        ({"perturbations": {"tasks": ["delay_pro"]}}, AFTER_SWEEPS | {"lesioned": 1, "fig_curves": 5}),
        ({"perturbations": {"silencing": "recurrence"}}, SWEEPS),
        ({"perturbations": {"example_strength": 10}}, {"lesioned": 1, "fig3": 1}),
        ({"tune": {"networks": 3}}, {}),
        ({"evaluation": {"n_validation": 25}}, {"validation": 3, "learned": 6} | LEARNED),
        (
            {"generalisation": {"left_out": [["delay_pro"], ["mem_dm1", "delay_pro"]]}},
            {"corpus": 1, "primitives": 2, "module": 4, "head": 4, "evaluation": 4} | GENERALISED,
        ),
        ({"modules": {"numbers": [1, 3]}}, {}),
        (
            {"heads": {"n_steps": 9}, "separate": {"n_steps": 7}},
            ALL_NETWORKS | NOT_SHARED | {"evaluation": 14, "learned": 4, "scaling": 1, "fig_scaling": 1},
        ),
    ],
)
def test_a_changed_setting_reruns_what_depends_on_it(changed, change, expected):
    changed.set(**change)
    configuration = {} if set(change) == {"tracking"} else {"configuration": 1}
    assert changed.planned() == reported(configuration | expected)


def why(scratch, *arguments):
    """What `molap why` prints: cause → the lines below it."""
    command = [sys.executable, "-m", "molap.planning.why", *arguments, "--configfile", "tiny.yaml"]
    result = subprocess.run(command, cwd=scratch.folder, env=scratch.environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return {cause: lines for cause, *lines in (part.splitlines() for part in result.stdout.split("\n\n"))}


def count(lines):
    """Jobs by program; of a cause with many, a line stands for all jobs of its program."""
    found = Counter()
    for program, number, *words in map(str.split, lines):
        found[program] += int(number) if words[:1] == ["jobs,"] else 1
    return found


def test_why_names_the_key_the_module_the_missing_file_and_the_input_behind_every_job(changed):
    changed.set(heads={"n_steps": 9})
    changed.edit("molap/training/dni.py", "values / (values + alpha)", "1 / (1 + alpha / np.maximum(values, 1e-300))")
    missing = "results/tiny/testsets/mem_dm1.npz"
    (changed.folder / missing).unlink()
    found = why(changed)
    planned = changed.planned()
    heads = found["heads.n_steps: 8 → 9"]
    assert count(heads)["head"] == planned["head"]
    assert any(line.split() == ["configuration", "results/tiny/configuration.json"] for line in heads)
    sequences = found["source changed: molap.training.dni"]
    assert count(sequences) == {"sequence": planned["sequence"]}
    assert [line.split() for line in found["an output is missing"]] == [["testset", missing]]
    (fig2,) = (line for line in found["an input is made again"] if line.startswith("    fig2 "))
    assert "results/tiny/figures/fig2.png" in fig2
    assert sum(count(lines).total() for lines in found.values()) == sum(planned.values())


@pytest.mark.exhaustive
def test_why_tells_that_nothing_would_run_and_refuses_as_the_workflow_does(changed):
    assert why(changed) == {"nothing to be done": []}
    changed.set(heads={"n_steps": -1})
    command = [sys.executable, "-m", "molap.planning.why", "--configfile", "tiny.yaml"]
    result = subprocess.run(command, cwd=changed.folder, env=changed.environment, capture_output=True, text=True)
    assert result.returncode != 0 and "heads.n_steps: -1 is not allowed" in result.stderr


def test_touched_sources_and_settings_plan_nothing(changed):
    for name in ("molap", "workflow", "config", "envs", "tiny.yaml"):
        for path in (changed.folder / name, *(changed.folder / name).rglob("*")):
            os.utime(path)
    assert changed.planned() == {}


def test_swapped_values_are_noticed(changed):
    changed.set(heads={"weight_penalty": 1e-7, "activity_penalty": 1e-5})
    assert changed.planned()["head"] == 11


def test_the_order_of_keys_plans_nothing(changed):
    path = changed.folder / "tiny.yaml"
    values = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump(dict(reversed(values.items())), sort_keys=False))
    assert changed.planned() == {}
