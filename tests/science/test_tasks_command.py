"""The command line that lists tasks and shows trials."""

import re
import subprocess
import sys

import numpy as np
import pytest
from sources import REPOSITORY
from tenth_task import TENTH
from trial_reference import expected_trials

from molap.config.tasks import TASK_NAMES
from molap.jobs.command import run
from molap.tasks.__main__ import tasks
from molap.tasks.registry import BUILT_IN


@pytest.fixture
def tenth(tmp_path):
    path = tmp_path / "more_tasks.py"
    path.write_text(TENTH)
    return str(path)


def ended(*arguments):
    """The status with which the command ends."""
    with pytest.raises(SystemExit) as end:
        run(tasks, [*arguments])
    return end.value.code or 0


def refused(capsys, *arguments):
    """The one line with which the command refuses."""
    assert ended(*arguments) != 0
    (line,) = capsys.readouterr().err.splitlines()
    return line


def show(output, *arguments):
    assert ended("show", *arguments, "--output", str(output)) == 0
    with np.load(output) as file:
        return {name: file[name] for name in file.files}


def test_show_writes_trials_before_rescaling(tmp_path):
    arrays = show(tmp_path / "a.npz", "mem_pro", "--trials", "40", "--seed", "3", "--noise", "0")
    assert arrays["inputs"].shape == arrays["targets"].shape == (110, 40, 3)
    assert arrays["angles"].shape == arrays["angles_degrees"].shape == (40, 2)
    inputs, targets = expected_trials("mem_pro", arrays["angles_degrees"].tolist())
    np.testing.assert_allclose(arrays["inputs"], inputs, atol=1e-6)
    np.testing.assert_allclose(arrays["targets"], targets, atol=1e-6)
    np.testing.assert_allclose(np.radians(arrays["angles_degrees"]), arrays["angles"], atol=1e-5)


def test_show_writes_the_picture_alone(tmp_path):
    assert ended("show", "mem_pro", "--output", str(tmp_path / "a.png")) == 0
    assert ended("show", "mem_pro", "--output", str(tmp_path / "b.npz")) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.npz", "b.png"]
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize("name", ["a.csv", "a"])
def test_show_refuses_another_ending(tmp_path, name, capsys):
    assert ".npz or .png" in refused(capsys, "show", "mem_pro", "--output", str(tmp_path / name))
    assert list(tmp_path.iterdir()) == []


def test_the_gallery_shows_every_task_and_what_list_prints(capsys):
    page = (REPOSITORY / "docs/tasks.md").read_text()
    assert ended("list") == 0
    assert f"```\n{capsys.readouterr().out}```" in page
    assert re.findall(r"^## (T\d) `(\w+)`", page, re.M) == [(task.label, task.name) for task in BUILT_IN]
    pictures = re.findall(r"\((images/\S+)\)", page)
    assert pictures == [f"images/tasks/{task.name}.png" for task in BUILT_IN]
    assert all((REPOSITORY / "docs" / path).stat().st_size > 20_000 for path in pictures)


def test_show_adds_the_noise_asked_for(tmp_path):
    arrays = show(tmp_path / "a.npz", "mem_dm1", "--trials", "40", "--noise", "0.1")
    inputs, _ = expected_trials("mem_dm1", arrays["angles_degrees"].tolist())
    assert (arrays["inputs"] - inputs).std() == pytest.approx(0.1, rel=0.05)


def test_show_knows_the_users_tasks(tmp_path, tenth):
    arrays = show(tmp_path / "a.npz", "go_twice", "--trials", "40", "--module", tenth)
    assert arrays["targets"].shape == (110, 40, 2)


def test_show_writes_the_same_bytes_for_the_same_seed(tmp_path):
    arguments = ["context_mem_dm1", "--trials", "40", "--seed", "11"]
    show(tmp_path / "here.npz", *arguments)
    command = [sys.executable, "-m", "molap.tasks", "show", *arguments, "--output", str(tmp_path / "there.npz")]
    subprocess.run(command, check=True)
    assert (tmp_path / "here.npz").read_bytes() == (tmp_path / "there.npz").read_bytes()


@pytest.mark.parametrize("seed", [1, 2**32 - 1])
def test_show_draws_other_trials_for_another_seed(tmp_path, seed):
    first, second = (
        show(tmp_path / f"{i}.npz", "mem_pro", "--trials", "40", "--seed", str(value))
        for i, value in enumerate((0, seed))
    )
    assert not np.array_equal(first["angles"], second["angles"])
    assert not np.array_equal(first["inputs"], second["inputs"])


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["no_task"], "no_task"),
        (["mem_pro", "--trials", "0"], "--trials"),
        (["mem_pro", "--seed", "-1"], "--seed"),
        (["mem_pro", "--seed", str(2**70)], "seed"),
        (["mem_pro", "--noise", "-0.1"], "noise"),
        (["mem_pro", "--noise", "nan"], "noise"),
        (["mem_pro", "--module", "/nowhere/tasks.py"], "/nowhere/tasks.py"),
        (["mem_pro", "--trials", "few"], "--trials"),
        ([], "TASK"),
        (["mem_pro", "--colour", "red"], "--colour"),
    ],
)
def test_show_refuses_an_argument_in_one_line(tmp_path, arguments, named, capsys):
    assert named in refused(capsys, "show", *arguments, "--output", str(tmp_path / "a.npz"))
    assert list(tmp_path.iterdir()) == []


def test_show_refuses_an_output_that_cannot_be_written(tmp_path, capsys):
    (tmp_path / "folder").mkdir()
    assert "folder" in refused(capsys, "show", "mem_pro", "--output", str(tmp_path / "folder"))


def test_a_refused_argument_ends_the_program_with_one_line(tmp_path):
    command = [sys.executable, "-m", "molap.tasks", "show", "no_task", "--output", str(tmp_path / "a.npz")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert len(ended.stderr.splitlines()) == 1 and "no_task" in ended.stderr


def test_list_names_every_task(capsys):
    assert ended("list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[f"T{i + 1}", name] for i, name in enumerate(TASK_NAMES)]


RARE = """
import jax
import jax.numpy as jnp

from molap.tasks.registry import Task


def draw(key, n_trials, settings):
    return {"chosen": jax.random.uniform(key, (n_trials,))}


def rare(conditions, settings):
    \"\"\"Not finite on one trial in two hundred, which is none of the trials of the checks.\"\"\"
    chosen = conditions["chosen"]
    values = jnp.where(chosen < 0.005, jnp.nan, chosen) * jnp.ones((40, 1))
    return values[..., None] - 0.5, values[..., None] - 0.5


TASKS = [Task("rare", "R", rare, inputs=("a",), outputs=("b",), n_steps=40, draw=draw, window=(30, 40))]
"""


def test_rare_trials_that_are_not_finite_are_refused_where_they_are_drawn(tmp_path, capsys):
    module = tmp_path / "rare.py"
    module.write_text(RARE)
    words = r"'rare' returns inputs that are not finite: nan in the channel a at step 0, in \d+ of 2000 trials$"
    line = refused(
        capsys, "show", "rare", "--module", str(module), "--trials", "2000", "--output", str(tmp_path / "o.npz")
    )
    assert re.search(words, line) and not (tmp_path / "o.npz").exists()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("stage", "wildcards"), [("testset", ["task=rare"]), ("validation", ["task=rare"]), ("corpus", [])]
)
def test_stages_refuse_rare_trials_that_are_not_finite(tmp_path, stage, wildcards):
    (tmp_path / "rare.py").write_text(RARE)
    (tmp_path / "mine.yaml").write_text(
        f"tasks: {{modules: [{tmp_path}/rare.py], names: [mem_pro, rare]}}\n"
        "corpus: {n_trials: 2000}\nevaluation: {n_trials: 2000, n_validation: 2000}\n"
        "figures: {example_task: mem_pro}\ngeneralisation: {left_out: []}\ntune: {tasks: [mem_pro]}\n"
    )
    command = [sys.executable, "-m", "molap", "plan", stage, *wildcards, "--config", str(tmp_path / "mine.yaml")]
    planned = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert planned.returncode == 0, planned.stderr
    program = "testset" if stage == "validation" else stage
    output = tmp_path / "out.npz"
    command = [sys.executable, "-m", f"molap.stages.{program}", "--settings", planned.stdout.strip()]
    result = subprocess.run([*command, "--output", f"arrays={output}"], cwd=REPOSITORY, capture_output=True, text=True)
    assert result.returncode != 0 and "not finite: nan in the channel" in result.stderr and not output.exists()
