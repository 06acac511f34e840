"""The notebook of the documentation, executed in a copy of the sources; and the examples of the page on Python."""

import contextlib
import io
import re
import warnings

import pytest
from workflow_helpers import REPOSITORY, Scratch

pytestmark = pytest.mark.exhaustive

NOTEBOOK = REPOSITORY / "docs" / "tutorial.ipynb"


def texts(cells) -> str:
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return "\n".join(str(output.get("text", output.get("data", {}).get("text/plain", ""))) for output in outputs)


def test_the_notebook_runs_from_top_to_bottom_and_its_networks_learn(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `test`")
    nbclient = pytest.importorskip("nbclient", reason="needs the extra `test`")
    pytest.importorskip("ipykernel", reason="needs the extra `test`")
    scratch = Scratch(tmp_path / "copy")
    (scratch.folder / "results").mkdir()
    for name, value in scratch.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(scratch.folder)}}).execute()
    found = texts(notebook.cells)
    # Each stands twice; the second is what the best constant output reaches.
    accuracies = dict(reversed(re.findall(r"'(report|oppose)': ([\d.]+)", found)))
    assert all(float(value) > 80 for value in accuracies.values()), found
    pictures = [
        output for cell in notebook.cells for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 4
    assert "tables are missing" in found and "Run(results/wide" in found


def test_the_notebook_in_the_repository_has_been_executed():
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `test`")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code)
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_the_page_s_examples_run_on_a_finished_run(finished, tmp_path, monkeypatch):
    page = (REPOSITORY / "docs" / "python.md").read_text(encoding="utf-8")
    lines = [
        line[4:]
        for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
        if line.startswith(">>> ")
    ]
    assert len(lines) > 25
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "quick").symlink_to(finished.folder / "results" / "tiny")
    space: dict = {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for line in lines:
            exec(compile(line, "docs/python.md", "single"), space)
    assert (tmp_path / "mine.pdf").exists()
