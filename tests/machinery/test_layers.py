"""The direction of imports: rooms of the package lie floor by floor, and no module imports itself through others."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest
from package_modules import MODULES, PACKAGE, parse, room

LAYERS = (
    ("randomness", "storage"),
    ("config", "analysis"),
    ("tasks", "jobs", "figures", "claims", "tracking", "exchange"),
    ("primitives", "networks"),
    ("training", "evaluation", "planning"),
    ("report", "interface", "gathering", "opened"),
    ("stages",),
    ("cli", "__main__"),
)
"""Rooms of the package, its folders and top-level files, floor by floor from the ground up; a room imports from its own
floor and those below."""
LAZY = {
    ("molap.config.run", "molap.networks.own"),
    ("molap.config.run", "molap.tasks.corpus"),
    ("molap.config.run", "molap.tasks.registry"),
    ("molap.config.reservoirs", "molap.networks.own"),
}
"""Imports upward that are allowed inside a function."""


def imports(tree: ast.AST) -> set[str]:
    """Modules of the package that are imported anywhere in the tree."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return {name for name in found if name in MODULES and name != "molap"}


def layer(name: str) -> int:
    found = [i for i, rooms in enumerate(LAYERS) if room(name) in rooms]
    assert found, f"{name} has no place among LAYERS"
    return found[0]


@pytest.mark.parametrize("name", [name for name in MODULES if name != "molap"])
def test_imports_point_downward(name):
    upward = {other for other in imports(parse(name)) if layer(other) > layer(name)}
    assert upward == {other for importer, other in LAZY if importer == name}


@pytest.mark.parametrize(("importer", "imported"), sorted(LAZY))
def test_upward_imports_are_inside_a_function(importer, imported):
    outside = [node for node in parse(importer).body if not isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert imported not in imports(ast.Module(outside, []))


def test_no_module_imports_itself_through_others():
    graph = {name: imports(parse(name)) - {other for at, other in LAZY if at == name} for name in MODULES}
    assert set(TopologicalSorter(graph).static_order()) == set(MODULES)


def test_no_room_imports_itself_through_others():
    graph: dict[str, set[str]] = {room(name): set() for name in MODULES if name != "molap"}
    for name in MODULES:
        for other in imports(parse(name)):
            if (name, other) not in LAZY and room(other) != room(name):
                graph[room(name)].add(room(other))
    assert set(TopologicalSorter(graph).static_order()) == {each for rooms in LAYERS for each in rooms}


def test_neither_planning_nor_what_else_the_workflow_imports_loads_jax():
    snakefile = (PACKAGE.parent / "workflow" / "Snakefile").read_text(encoding="utf-8")
    names = {f"molap.planning.{file.stem}" for file in (PACKAGE / "planning").glob("[a-z]*.py")}
    names |= set(re.findall(r"^from (molap[.\w]+) import", snakefile, re.MULTILINE))
    text = f"import sys, {', '.join(sorted(names))}\nprint('jax' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert found.stdout == "False\n"
