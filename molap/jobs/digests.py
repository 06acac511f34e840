"""Digests of source code: what a stage imports from this package, without comments and docstrings.

Snakemake does not detect a change in an imported module; therefore each rule has this digest as a param.
"""

import ast
import functools
import hashlib
import importlib.util
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from molap.config.base import CachedByFiles

PACKAGE = "molap"
DISTRIBUTIONS = {"sklearn": ("scikit-learn",), "yaml": ("pyyaml",), "jax": ("jax", "jaxlib")}
"""Import name → distributions, for packages whose names differ."""
DATA = ".npz"
"""Ending of a user's files that hold trials instead of source."""
LOADED_BY_NAME = {"molap.tasks.from_neurogym": "neurogym"}
"""Module of this package → another package that it loads by a name in a text. Its version counts only for a user's file
that imports the module, and for a task `neurogym:…`."""
PRINT_DESCRIPTIONS = frozenset({"molap.stages.pages"})
"""Programs that write the descriptions of settings into a page, and for which descriptions therefore count as code."""


def user_modules(settings: dict[str, Any]) -> tuple[str, ...]:
    """Return the modules of the user's that a job with these settings reads: for its trials, and for its criterion."""
    found = [name for part in ("trials", "criterion") for name in (settings.get(part) or {}).get("modules", ())]
    return tuple(dict.fromkeys(found))


@CachedByFiles
def source_digest(module: str, extra_files: tuple[str, ...] = ()) -> str:
    """Return the digest (12 hex digits) of `module`, `extra_files`, and everything that they import.

    Only the syntax of this package's modules and of the files counts: comments, docstrings and layout do not, nor do
    descriptions of settings, except for a program that prints them. For other packages, the installed version counts.
    """
    digests = [f"{name}:{found}" for name, found in parts(module, extra_files).items()]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()[:12]


def parts(module: str, extra_files: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the parts of a digest: module or file → digest of its syntax, other package → its version."""
    users = user_sources(extra_files)
    ours = closure(module).union(*(closure(item) for name in users for item in _imports(name) if _locate(item)))
    names = [*sorted(ours), *users]
    own = {PACKAGE, *(Path(name).stem for name in names if name.endswith(".py"))}
    imported = {top for name in names for item in _all_imports(name) if (top := item.split(".")[0]) not in {*own, ""}}
    of_users = [item for name in users for item in _all_imports(name)]
    for loader, loaded in LOADED_BY_NAME.items():
        if any(item == loader or item.startswith(f"{loader}.") for item in of_users):
            imported.add(loaded)
    others = sorted(imported - sys.stdlib_module_names)
    versions = {package: _version(package) for name in others for package in DISTRIBUTIONS.get(name, (name,))}
    return {name: module_digest(name, module in PRINT_DESCRIPTIONS or name in users) for name in names} | {
        name: version for name, version in versions.items() if version
    }


def user_sources(names: tuple[str, ...]) -> list[str]:
    """Return a user's modules and files, and all modules that they import from beside them, or from their package.

    What else is installed counts by its version. Modules that a program names in a text, and data that it opens, do not
    count.
    """
    found: dict[str, None] = {}
    for name in names:
        found[name] = None
        file = None if name.lower().endswith(DATA) or _package_of(name) else _locate(name)
        if file is None:
            continue
        root = file.parent if name.endswith(".py") else file.parents[name.count(".") + (file.name == "__init__.py")]
        top = None if name.endswith(".py") else name.split(".")[0]
        waiting = [file, *(_files_of(name, root) if top else [])]
        seen: set[Path] = set()
        while waiting:
            file = waiting.pop(0)
            if file in seen:
                continue
            seen.add(file)
            for imported in _all_imports(str(file)):
                if imported.split(".")[0] == PACKAGE:  # beside a user's file only because it is in this repository
                    continue
                level = len(imported) - len(imported.lstrip("."))
                if level:
                    waiting += _files_of(imported[level:], file.parents[level - 1])
                elif top is None or imported.split(".")[0] == top:
                    waiting += _files_of(imported, root)
        names_of_files = (str(file) if top is None else _dotted(file.relative_to(root)) for file in sorted(seen))
        found |= dict.fromkeys(names_of_files)
    return list(found)


def _dotted(file: Path) -> str:
    """Return the name of a module from its file, relative to the folder of its package."""
    return ".".join(file.with_suffix("").parts).removesuffix(".__init__")


def _files_of(imported: str, folder: Path) -> list[Path]:
    """Return the file of a module in a folder, and the `__init__` of that folder's package and those on the way."""
    found, place = [folder / "__init__.py"], folder
    for part in imported.split("."):
        place /= part
        found += [place.with_suffix(".py"), place / "__init__.py"]
    return [file for file in found if file.is_file()]


@functools.cache
def _version(package: str) -> str:
    """Return the installed version; empty for a module that belongs to no package."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def closure(module: str) -> set[str]:
    """Return `module` and the modules of the package that it imports, directly or indirectly.

    Imports inside functions count too, as do the packages on the way (their `__init__`).
    """
    found, waiting = set(), [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [imported for imported in _imports(name) if _locate(imported)]
        if "." in name:
            waiting.append(name.rpartition(".")[0])
    return found


@CachedByFiles
def module_digest(name: str, descriptions: bool = False) -> str:
    """Return the digest of a module's syntax, with or without descriptions of settings, or of the bytes of data."""
    if name.lower().endswith(DATA):
        return hashlib.sha256(Path(name).read_bytes()).hexdigest()
    if _package_of(name):
        return hashlib.sha256(name.encode()).hexdigest()
    return _read(_file(name), descriptions).digest


def _package_of(name: str) -> str:
    """Return the package of a task that another package defines, `package:task`; empty for modules and files."""
    return "" if name.lower().endswith((".py", DATA)) else name.rpartition(":")[0]


def _file(name: str) -> Path:
    """Return the file of a module that exists."""
    found = _locate(name)
    if found is None:
        raise ModuleNotFoundError(f"there is no module {name}")
    return found


@functools.cache
def _locate(name: str) -> Path | None:
    if name.endswith(".py"):
        return Path(name)
    base = Path(__file__).parents[2]
    if name.split(".")[0] == PACKAGE:
        place = base.joinpath(*name.split("."))
        for candidate in (place.with_suffix(".py"), place / "__init__.py"):
            if candidate.is_file():
                return candidate
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ModuleNotFoundError, ValueError):  # a name in a module that is no package
        return None
    return Path(spec.origin) if spec and spec.origin else None


@functools.cache
def _imports(name: str) -> tuple[str, ...]:
    return tuple(item for item in _all_imports(name) if item.split(".")[0] == PACKAGE)


@CachedByFiles
def _all_imports(name: str) -> tuple[str, ...]:
    if name.lower().endswith(DATA):
        return ()
    if package := _package_of(name):
        return (package,)
    return _read(_file(name), False).imports


class _Module(NamedTuple):
    digest: str
    imports: tuple[str, ...]
    """The modules that it imports, and the names that it imports from modules, which may be modules as well."""


@CachedByFiles
def _read(path: Path, descriptions: bool) -> _Module:
    """Parse a file once; a job reads thirty of them before it starts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports: list[ast.Import | ast.ImportFrom] = []
    for_annotations: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not descriptions:
            # A setting's description is no more a part of the program than a docstring is.
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(node)
        elif isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for_annotations |= {inner for statement in node.body for inner in ast.walk(statement)}
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [item for item in body if not _is_bare_string(item)]
    found: list[str] = []
    for node in imports:
        if node in for_annotations:
            continue  # these do not run
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        else:
            start = "." * node.level + (node.module or "")
            joint = "" if start.endswith(".") else "."
            found += [*([start] if node.module else []), *(f"{start}{joint}{alias.name}" for alias in node.names)]
    return _Module(hashlib.sha256(ast.dump(tree).encode()).hexdigest(), tuple(found))


def _is_bare_string(node: ast.AST) -> bool:
    """Return whether a node is a docstring or a string that describes a field of a class."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
