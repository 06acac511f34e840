"""Render the pages about the reference results from templates and the committed tables: `molap reference`.

A template in docs/templates holds the words of a page. It computes its numbers with `statements`, `judged` and the
modules for tables (`sheets` and its like), and takes every word that depends on a result from an interval or a verdict.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import click
import jinja2

from molap.claims.functions import MIN_NETWORKS
from molap.config.base import in_one_line
from molap.gathering import growth_sheets, search_sheets, sheets
from molap.gathering.judged import Judged
from molap.gathering.made import Made
from molap.gathering.phrases import ABOUT, Effect, factor, fewer, in_words, more, power, spread, times
from molap.gathering.statements import Evidence
from molap.jobs.command import Refused, refusing, run
from molap.report.article.words import count, listed, number, ranges, whole

TEMPLATES = Path("docs/templates")
PAGES = ("findings", "results", "generalisation")
README = "README.md"
BLOCK = re.compile(r"(?<=<!-- reference -->\n).*?(?=\n<!-- /reference -->)", re.DOTALL)
"""The part of the README that states results."""
WIDTH = 116
FIXED = re.compile(r"(```|~~~|\||#|!\[|<!--|$)")
"""Matches the beginning of a line that is not prose: code, tables, headings, pictures, comments, empty lines."""
ITEM = re.compile(r"( *)([-*] |\d+\. )?")
KEPT = re.compile(r" (?=[-+*#>] |\d+[.)](?: |$)|%|= \d)|(?<==) (?=\d)")
"""Spaces at which no line may end: what follows would begin a list or a heading, or belongs to the number before."""
NO_BREAK = "\x00"
SENTENCES = re.compile(r"(?<=[.!?]) +(?=[A-Z“*`(\[])")
MISSING = re.compile(
    r"(?<!\S)\(?–(?= (?:%|points|times|and –)|[.,;:)]|$)|\b(?:0|[Nn]one|no) of (?:0|no)\b|\bno networks\b"
)
"""Matches what stands for a number that no table has; a sentence that holds it says nothing."""


def wrapped(text: str) -> str:
    """Fill the paragraphs and items of a Markdown page; code, tables and headings stay as they are."""
    lines: list[str] = []
    paragraph: list[str] = []
    fenced = False

    def close() -> None:
        if paragraph:
            if lines and lines[-1].startswith("#"):
                lines.append("")
            lines.extend(_filled(paragraph))
            paragraph.clear()

    for line in text.splitlines():
        fence = line.lstrip().startswith("```")
        if fenced or fence or FIXED.match(line.lstrip()):
            close()
            if line.startswith("#") and not fenced and lines and lines[-1]:
                lines.append("")
            lines.append(line.rstrip())
            fenced ^= fence
        else:
            if ITEM.match(line)[2]:  # type: ignore[index]
                close()
            paragraph.append(line)
    close()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _filled(paragraph: Sequence[str]) -> list[str]:
    begin = ITEM.match(paragraph[0])
    assert begin is not None
    indent, mark = begin[1], begin[2] or ""
    words = " ".join(" ".join(paragraph).split()).removeprefix(mark.strip()).strip()
    words = re.sub(r" ([.,;:])(?= |$)", r"\1", words)
    if MISSING.search(words):
        words = " ".join(sentence for sentence in SENTENCES.split(words) if not MISSING.search(sentence))
        if not words:
            return []
    words = KEPT.sub(NO_BREAK, words)
    filled = textwrap.wrap(
        words,
        WIDTH,
        initial_indent=indent + mark,
        subsequent_indent=indent + " " * len(mark),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(NO_BREAK, " ") for line in filled]


def environment(evidence: Evidence, templates: Path) -> jinja2.Environment:
    """Return what templates are rendered in: the tables, and the functions that state what is in them."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )
    made.filters |= {"words": in_words, "listed": listed, "ranges": ranges, "number": number, "whole": whole}
    made.filters |= {
        "capital": lambda text: text[:1].upper() + text[1:],
        "times": times,
        "spread": spread,
        "power": power,
        "factor": factor,
        "fewer": fewer,
        "more": more,
        "count": count,
        "way": Effect.way,
    }
    made.globals |= {
        "ev": evidence,
        "claims": Judged(evidence),
        "claims_now": Judged(evidence, "new"),
        "made": Made(evidence),
        "sheet": sheets.Sheets(evidence),
        "growth": growth_sheets.GrowthSheets(evidence),
        "search": search_sheets.Search(evidence),
        "names": sheets.NAMES,
        "markdown": sheets.markdown,
        "about": ABOUT,
        "fewest": MIN_NETWORKS,
    }
    return made


def pages(evidence: Evidence, only: Iterable[str] | None = None) -> dict[str, Callable[[], str]]:
    """Return what renders each page, by its path.

    Args:
        evidence: the committed tables; its root also holds the templates and the README.
        only: names of templates; by default, all.
    """
    made = environment(evidence, evidence.root / TEMPLATES)
    found: dict[str, Callable[[], str]] = {}
    for name in PAGES if only is None else [name for name in PAGES if name in only]:
        found[f"docs/{name}.md"] = lambda name=name: wrapped(made.get_template(f"{name}.md").render())  # type: ignore[misc]

    def readme() -> str:
        text = (evidence.root / README).read_text(encoding="utf-8")
        if (n := len(BLOCK.findall(text))) != 1:
            raise Refused(f"{README} has {n} blocks <!-- reference --> … <!-- /reference -->; one is needed")
        return BLOCK.sub(lambda _: wrapped(made.get_template("readme.md").render()).strip(), text)

    if only is None or "readme" in only:
        found[README] = readme
    return found


@click.command("reference")
@click.option("--check", is_flag=True, help="Write nothing; fail where a page is out of date.")
@refusing(OSError)
def main(check: bool) -> None:
    """Write the pages about the reference results from their tables.

    The tables lie in docs/reference, docs/released and docs/tables, and the templates in docs/templates.

    \b
    Example:
      molap reference --check
    """
    if not TEMPLATES.is_dir():
        raise Refused(f"there is no {TEMPLATES} here; run this in a clone of the repository")
    for path, render in pages(Evidence(Path())).items():
        try:
            text = render()
        except (
            LookupError,
            AttributeError,
            ValueError,
            jinja2.UndefinedError,
        ) as error:  # a table was cut short
            raise Refused(f"{path}: a table lacks what the page states: {in_one_line(error)}") from None
        if check and (not Path(path).exists() or Path(path).read_text(encoding="utf-8") != text):
            raise Refused(f"{path} is out of date; run `molap reference`")
        if not check:
            Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    run(main)
