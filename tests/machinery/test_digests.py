"""Test which changes to the source change a digest, and what a stage's closure holds."""

import ast
import importlib
import importlib.util
import shutil
from pathlib import Path

import pytest
from package_modules import MODULES, PACKAGE, parse, room
from sources import OWN_TASK
from workflow_helpers import REPOSITORY

import molap.jobs.digests
from molap.config.run import parse_config
from molap.config.tasks import TASK_NAMES
from molap.jobs.digests import PRINT_DESCRIPTIONS, closure, parts, source_digest, user_sources
from molap.planning.plan import Plan

EXAMPLE = '''"""A module."""

import math

LIMIT = 3
"""What it limits."""


class Point:
    """A point."""

    x: int
    """Where it is."""


def area(r, power=2):
    """Of a circle."""
    # The usual formula.
    return math.pi * r**power
'''


def digest_of(text: str, tmp_path: Path) -> str:
    """The digest of a file of the given text (no text is digested twice under one name)."""
    file = tmp_path / f"module{len(list(tmp_path.iterdir()))}.py"
    file.write_text(text, encoding="utf-8")
    return molap.jobs.digests._read(file, False).digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    # The usual formula.\n", ""),
        ("# The usual formula.", "# Another remark."),
        ('"""A module."""\n', ""),
        ('"""Of a circle."""', '"""Of a disc,\n\n    in m²."""'),
        ('    """A point."""\n', ""),
        ('    """Where it is."""\n', ""),
        ('"""What it limits."""\n', ""),
        ("\n\n\n", "\n\n"),
        ("math.pi * r**power", "(\n        math.pi  *  r ** power\n    )"),
        ("import math\n", "import math  # noqa\n"),
    ],
)
def test_comments_docstrings_and_layout_do_not_count(old, new, tmp_path):
    assert old in EXAMPLE
    assert digest_of(EXAMPLE.replace(old, new), tmp_path) == digest_of(EXAMPLE, tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("LIMIT = 3", "LIMIT = 3.0"),
        ("power=2", "power=3"),
        ("r**power", "power**r"),
        ("import math", "import cmath as math"),
        ("x: int", "x: float"),
        ("return math.pi", "return -math.pi"),
        ("def area", "@staticmethod\ndef area"),
        ("LIMIT = 3", 'LIMIT = "3"'),
    ],
)
def test_code_counts(old, new, tmp_path):
    assert old in EXAMPLE
    assert digest_of(EXAMPLE.replace(old, new), tmp_path) != digest_of(EXAMPLE, tmp_path)


def test_a_text_that_is_used_counts(tmp_path):
    assert digest_of('name = "a"\n', tmp_path) != digest_of('name = "b"\n', tmp_path)
    assert digest_of('print("a")\n', tmp_path) != digest_of('print("b")\n', tmp_path)


@pytest.fixture
def package(tmp_path):
    """A copy of the package; a function of module and old → new gives a stage's digest in the changed copy."""
    copy = tmp_path / "molap"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))

    def digest(stage: str, extra_files: tuple[str, ...] = ()) -> str:
        """With the copy's own code, loaded for this call, so that nothing is remembered."""
        spec = importlib.util.spec_from_file_location("digests_of_copy", copy / "jobs" / "digests.py")
        digests = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(digests)
        return digests.source_digest(f"molap.stages.{stage}", extra_files)

    digest.root = copy
    return digest


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def test_a_copy_of_the_package_has_the_same_digest(package):
    assert package("head") == source_digest("molap.stages.head")


@pytest.mark.parametrize("changed", ["training/loop", "networks/rnn", "tasks/delay", "stages/head", "stages/__init__"])
def test_code_that_a_stage_imports_changes_its_digest(package, changed):
    before = package("head")
    append(package.root / f"{changed}.py", "\nADDED = 1\n")
    assert package("head") != before


@pytest.mark.parametrize(
    "changed", ["figures/performance", "primitives/variates", "stages/module", "planning/plan", "analysis/collect"]
)
def test_code_that_a_stage_does_not_import_leaves_its_digest(package, changed):
    before = package("head")
    append(package.root / f"{changed}.py", "\nADDED = 1\n")
    assert package("head") == before


@pytest.mark.exhaustive
def test_comments_in_the_package_leave_every_digest(package):
    stages = [file.stem for file in (package.root / "stages").glob("*.py") if file.stem != "__init__"]
    before = {stage: package(stage) for stage in stages}
    for file in package.root.rglob("*.py"):
        append(file, '\n\n# A remark.\n"""And a text that nothing uses."""\n')
    assert {stage: package(stage) for stage in stages} == before


@pytest.mark.exhaustive
def test_a_reworded_description_changes_the_digest_of_the_page_that_prints_it_alone(package):
    stages = [file.stem for file in (package.root / "stages").glob("*.py") if file.stem != "__init__"]
    before = {stage: package(stage) for stage in stages}
    path = package.root / "config" / "network.py"
    text, old = path.read_text(encoding="utf-8"), "Units of each separate network"
    assert f'description="{old}' in text
    path.write_text(text.replace(old, "Reworded"), encoding="utf-8")
    assert {stage for stage in stages if package(stage) != before[stage]} == {"pages"}


def test_every_program_that_reads_descriptions_counts_them():
    """Settings are left out: there, one field repeats another's description."""
    reading = {
        name
        for name in MODULES
        if name != "molap"
        and room(name) != "config"
        and any(isinstance(node, ast.Attribute) and node.attr == "description" for node in ast.walk(parse(name)))
    }
    programs = {name for name in MODULES if name.startswith("molap.stages.")}
    assert {name for name in programs if closure(name) & reading} == PRINT_DESCRIPTIONS


def test_a_new_import_joins_the_digest(package):
    before = package("fig1c")
    append(package.root / "figures" / "counts.py", "\n\ndef later():\n    import molap.tasks.corpus\n")
    joined = package("fig1c")
    append(package.root / "tasks" / "corpus.py", "\nADDED = 1\n")
    assert len({before, joined, package("fig1c")}) == 3


def test_files_of_the_user_belong_to_the_digest(package, tmp_path):
    file = tmp_path / "my_tasks.py"
    file.write_text("TASKS = []\n", encoding="utf-8")
    without, with_file = package("head"), package("head", (str(file),))
    file.write_text("# Mine.\nTASKS = []\n", encoding="utf-8")
    remarked = package("head", (str(file),))
    file.write_text("TASKS = [1]\n", encoding="utf-8")
    changed = package("head", (str(file),))
    assert with_file == remarked
    assert len({without, with_file, changed}) == 3


def test_digests_are_twelve_hexadecimal_digits():
    digest = source_digest("molap.stages.head")
    assert len(digest) == 12 and int(digest, 16) >= 0


def test_closure_of_the_heads_holds_what_they_run():
    found = closure("molap.stages.head")
    assert {
        "molap.stages.head",
        "molap.stages.training_job",
        "molap.jobs.job",
        "molap.networks.rnn",
        "molap.networks.masks",
        "molap.training.loop",
        "molap.training.optimiser",
        "molap.tasks.registry",
        "molap.tasks.delay",
        "molap.tasks.decision",
        "molap.randomness",
    } <= found
    assert (
        not {"molap.figures.performance", "molap.primitives.variates", "molap.planning.plan", "molap.analysis.collect"}
        & found
    )


AT = {"run": "paper", "block": "s0", "source": "cca", "kind": "dni-rule", "module": 1, "order": 0, "figure": "fig4"}
AT |= {"grid": "grid1"}


def test_a_user_s_file_beside_the_package_brings_in_nothing_but_itself(tmp_path, monkeypatch):
    """Such as a task in a clone: the package's own modules count as those of the program, neurogym's version not."""
    (tmp_path / "molap").symlink_to(REPOSITORY / "molap")
    (tmp_path / "late.py").write_text("from molap.tasks.registry import DIRECTION\nimport molap.tasks.trial\n")
    file = str(tmp_path / "late.py")
    assert user_sources((file,)) == [file]
    with_it, without = (set(parts("molap.stages.testset", files)) for files in ((file,), ()))
    assert with_it - without == {file} and "neurogym" not in with_it
    (tmp_path / "late.py").write_text("from molap.tasks.from_neurogym import neurogym_task\n")
    monkeypatch.setattr("molap.jobs.digests._version", lambda package: "1")
    assert "neurogym" in parts("molap.stages.testset", (file,))


@pytest.mark.parametrize(("task", "reading_late"), [("late", True), ("mem_dm1", False)])
def test_the_planned_digest_of_a_job_holds_the_user_s_tasks_if_it_reads_one(tmp_path, task, reading_late):
    """Of every program that draws trials; those for all tasks read the user's in any case."""
    (tmp_path / "own.py").write_text(OWN_TASK)
    own = str(tmp_path / "own.py")
    plan = Plan(parse_config({"tasks": {"modules": [own], "names": [*TASK_NAMES, "late"]}}))
    for file in (PACKAGE / "stages").glob("[a-z]*.py"):
        settings = getattr(importlib.import_module(f"molap.stages.{file.stem}"), "Settings", None)
        if settings is not None and "trials" in settings.model_fields:
            of_one_task = file.stem in ("testset", "head", "separate", "sequence", "search")
            files = (own,) if reading_late or not of_one_task else ()
            files = () if file.stem == "search_sequence" else files  # its own tasks, `tune.tasks`
            planned = plan.code(file.stem, file.stem, **AT, task=task)
            assert planned == source_digest(f"molap.stages.{file.stem}", files), file.stem


def test_closure_of_a_module_holds_primitives_and_corpus():
    assert {"molap.primitives.variates", "molap.tasks.corpus", "molap.training.loop"} <= closure("molap.stages.module")


def test_closure_of_fig2_holds_no_training():
    found = closure("molap.stages.fig2")
    assert {"molap.figures.performance", "molap.figures.style", "molap.storage.files"} <= found
    assert (
        not {"molap.training.loop", "molap.training.optimiser", "molap.networks.rnn", "molap.stages.training_job"}
        & found
    )
    assert not any(name.startswith("molap.tasks") for name in found)


def test_closure_holds_the_packages_on_the_way():
    assert {"molap", "molap.stages", "molap.config", "molap.tasks"} <= closure("molap.stages.head")
