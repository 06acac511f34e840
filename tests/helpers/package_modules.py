"""The modules of the package: their files, their syntax, and the rooms that they belong to."""

import ast
from pathlib import Path

import molap

PACKAGE = Path(molap.__file__).parent


def module_names() -> dict[str, Path]:
    names = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return names


MODULES = module_names()


def parse(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def room(name: str) -> str:
    return name.split(".")[1]
