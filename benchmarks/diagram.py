"""The README's diagram of the workflow, made from the rules: a box for each file of rules that a default run needs.

`python benchmarks/diagram.py` prints it, `--write` puts it into the README.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from molap.planning.figures import FIGURES
from molap.planning.tables import TABLES

REPOSITORY = Path(__file__).parent.parent
README = REPOSITORY / "README.md"
PLACE = re.compile(r"(?<=<!-- rules: python benchmarks/diagram.py --write -->\n).*?(?=<!-- end of rules -->)", re.S)
SHOWN = {
    "corpus": "corpus<br/>trials of the tasks, CCA and PCA",
    "pretraining": "pretraining<br/>one module after the other",
    "training": "training<br/>heads, separate networks, DNI",
    "evaluation": "evaluation<br/>test trials, perturbations",
    "tables": "tables<br/>one CSV for each question",
    "figures": "figures<br/>the paper's, and our own",
    "report": "report<br/>claims, provenance, pages",
}
"""Text of a box, by the file of its rules."""


def file_of_rules(folder: Path) -> dict[str, str]:
    """Return the file (without suffix) that defines each rule, from the sources and the lists that they follow."""
    found = dict.fromkeys(TABLES, "tables") | dict.fromkeys(FIGURES, "figures")
    for path in sorted((folder / "workflow" / "rules").glob("*.smk")):
        # `rule corpus:`, or the row `"evaluation": (…)` of a mapping over which a file's rules are repeated.
        for names in re.findall(r'^rule (\w+):|^    "(\w+)": (?:\($|\(")', path.read_text(encoding="utf-8"), re.M):
            found[names[0] or names[1]] = path.stem
    return found


def edges(dot: str, files: dict[str, str]) -> list[tuple[str, str]]:
    """Return the pairs of files between which rules of `snakemake --rulegraph` depend on each other, in order."""
    names = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', dot, re.M))
    unknown = sorted({*names.values()} - {*files, "all", "default"})
    if unknown:
        raise SystemExit(f"no file of rules is known for {', '.join(unknown)}")
    pairs = {(files.get(names[a]), files.get(names[b])) for a, b in re.findall(r"^\s*(\d+) -> (\d+)", dot, re.M)}
    order = list(SHOWN).index
    return sorted(((a, b) for a, b in pairs if a and b and a != b), key=lambda pair: [*map(order, pair)])


def direct(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the pairs that do not follow from others: with all of them, a phone shows a tangle."""

    def reached(start: str, without: tuple[str, str]) -> set[str]:
        found: set[str] = set()
        todo = [start]
        while todo:
            here = todo.pop()
            new = {b for a, b in pairs if a == here and (a, b) != without} - found
            found |= new
            todo += new
        return found

    return [pair for pair in pairs if pair[1] not in reached(pair[0], pair)]


def diagram(pairs: list[tuple[str, str]]) -> str:
    """Return the diagram as a block of Mermaid, from top to bottom, which a phone shows whole."""
    boxes = [f'    {name}["{SHOWN[name]}"]' for name in SHOWN if any(name in pair for pair in pairs)]
    arrows = [f"    {a} --> {b}" for a, b in pairs]
    return "\n".join(["```mermaid", "flowchart TD", *boxes, *arrows, "```", ""])


def made(folder: Path = REPOSITORY) -> str:
    """Return the diagram of a default run."""
    command = [sys.executable, "-m", "snakemake", "--rulegraph", "--nolock"]
    dot = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return diagram(direct(edges(dot, file_of_rules(folder))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the diagram into the README")
    text = made()
    if parser.parse_args().write:
        README.write_text(PLACE.sub(lambda _: text, README.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
