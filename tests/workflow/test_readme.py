"""The README: every command runs, at the tests' size; its diagram is that of the rules; it stays short."""

import re
import subprocess

import pytest
from diagram import PLACE, direct, made
from workflow_helpers import PATH, REPOSITORY, Scratch

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
ELSEWHERE = {
    "pytest": "is running",
    "molap ui": "test_tracking_server.py",
    "snakemake --workflow-profile workflow/profiles/slurm": "test_slurm_run.py",
}
"""Commands of the README that other tests run."""


def test_the_readme_stays_short():
    lines = README.splitlines()
    assert len(lines) <= 130
    assert all(len(line) <= 120 or line.startswith(("![", "|")) for line in lines)


def test_arrows_that_follow_from_others_are_left_out():
    pairs = [("a", "b"), ("a", "c"), ("a", "e"), ("b", "d"), ("c", "d"), ("d", "e"), ("b", "e")]
    assert direct(pairs) == [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("d", "e")]


@pytest.mark.exhaustive
def test_the_diagram_is_that_of_the_rules():
    assert PLACE.search(README)[0] == made()


@pytest.mark.exhaustive
def test_every_command_runs(tmp_path):
    scratch = Scratch(tmp_path / "copy")
    for preset in ("paper", "quick"):
        scratch.shrink(preset)
    (mine,) = re.findall(r"```yaml\n# mine.yaml\n(.*?)```", README, re.DOTALL)
    (scratch.folder / "mine.yaml").write_text(mine)
    lines = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
    commands = [re.sub(r"^pip install .*? && |\s+#.*", "", line) for line in lines]
    assert len(commands) >= 9 and {*ELSEWHERE} <= {*commands}
    for command in commands:
        if command not in ELSEWHERE:
            if "mine.yaml" in command:  # a configuration of its own follows the preset that it changes
                command = command.replace("mine.yaml", "config/paper.yaml mine.yaml")
            result = subprocess.run(
                ["bash", "-ec", command],
                cwd=scratch.folder,
                env=scratch.environment | {"PATH": PATH},
                capture_output=True,
                text=True,
            )
            assert result.returncode == 0, command + result.stdout + result.stderr
    for run in ("paper", "quick", "mine"):
        assert (scratch.folder / "results" / run / "figures" / "fig2.png").is_file(), run
    assert {"article.pdf", "claims.md"} <= {file.name for file in (scratch.folder / "results/paper/report").iterdir()}
    assert (scratch.folder / "report.html").stat().st_size > 1e6
