"""Check the prose of pages, docstrings, comments and messages: `python docs/style/check.py`.

proselint (its authors' checks, and ours in `rules.yaml`) reads Markdown without code, and the texts of Python files.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml
from proselint.checks import __register__
from proselint.config import DEFAULT
from proselint.registry import CheckRegistry
from proselint.registry.checks import Check

REPOSITORY = Path(__file__).parents[2]
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "config/README.md", "results/README.md")
SOURCES = ("molap/**/*.py", "benchmarks/*.py", "snakemake_logger_plugin_molap/*.py", "tests/**/*.py")
RULES = yaml.safe_load((Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8"))
LONGEST_LINE = 120
NOT_PROSE = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)\s*$"  # blocks of code and directives
    r"|<!--.*?-->|`+[^`]*`+"  # comments, code
    r"|(?<=\])\([^)\s]+\)|https?://\S+|<[^>\s]+>"  # where links lead
    r"|^\|.*?\|$|^#.*?$"  # tables and headings, whose cells are no sentences
    r"|^---\n.*?^---$",
    re.DOTALL | re.MULTILINE,
)
FEWEST_WORDS = 4
"""A string in a program with fewer words is a name, not a sentence."""


class Finding(NamedTuple):
    """A place that a reader stumbles over."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


def checks() -> list[Check]:
    """Return proselint's checks but for those switched off, and our own."""
    registry = CheckRegistry()
    if not registry.checks:
        registry.register_many(__register__)
    enabled = DEFAULT["checks"] | dict.fromkeys(RULES["switched_off"], False)
    return registry.get_all_enabled(enabled)


def blanked(text: str) -> str:
    """Return a text with other signs where it is not prose, so that lines keep their numbers."""
    return NOT_PROSE.sub(lambda found: re.sub(r"\S", "·", found[0]), text)


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the first line and the text of all prose in a file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        yield 1, blanked(source)
        return
    tree = ast.parse(source)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        # In a test, other strings are bad input and programs; in a program, those of many lines are pages.
        is_prose = node in docstrings or ("tests" not in path.parts and "\n" not in node.value)
        if is_prose and len(node.value.split()) >= FEWEST_WORDS:
            yield node.lineno, blanked(node.value)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def found_in(path: Path, active: list[Check]) -> Iterator[Finding]:
    """Yield what the checks find in a file."""
    name = path.relative_to(REPOSITORY).as_posix()
    for first, text in texts(path):
        padded = f"\n{text}\n"
        for check in active:
            for result in check.check_with_flags(padded):
                line = first + padded.count("\n", 1, result.span[0] + 1)
                yield Finding(name, line, f"{result.message} [{result.check_path}]")
        for kind, pattern in (("avoid", r"\b(?:{})\b"), ("begin", r"(?:(?<=[.!?]\s)|(?<=\n\n)){}\b")):
            for words, instead in RULES[kind].items():
                for match in re.finditer(pattern.format(words), padded, re.IGNORECASE if kind == "avoid" else 0):
                    line = first + padded.count("\n", 1, match.start())
                    yield Finding(name, line, f"“{match[0]}”: {instead} [{kind}]")
    if path.suffix == ".md":
        for number, line in enumerate(blanked(path.read_text(encoding="utf-8")).splitlines(), 1):
            length = len(line.replace("·", " ").rstrip())
            if length > LONGEST_LINE and not line.startswith("!["):  # a picture's words and file stay together
                yield Finding(name, number, f"{length} characters; at most {LONGEST_LINE} [length]")


def files(arguments: list[str]) -> list[Path]:
    """Return the files to check: all, or the given ones among them, since a hook also gives pages made of tables."""
    checked = {path for pattern in (*PAGES, *SOURCES) for path in REPOSITORY.glob(pattern)}
    return sorted(checked & {Path(name).resolve() for name in arguments} if arguments else checked)


def main() -> None:
    """Print every finding, and end with status 1 if there is one."""
    active = checks()
    findings = [found for path in files(sys.argv[1:]) for found in found_in(path, active)]
    print("\n".join(map(str, findings)) or "The prose passes.")
    sys.exit(bool(findings))


if __name__ == "__main__":
    main()
