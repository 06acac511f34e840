"""Typeset the article with Typst: text and layout come from `text/`, the content from one structure."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from molap.config.base import ConfigError
from molap.report.article.methods import TEXT

MAIN, DATA = "article.typ", "data.json"
INSTALL = "pip install -e '.[article]' -c envs/pins.txt"


def pdf(content: Mapping[str, Any], figures: Mapping[str, str]) -> bytes:
    """Return the article as PDF; the same content, figures and version of Typst give the same bytes.

    The fonts are those that come with Typst; nothing is fetched.

    Args:
        content: the structure that `molap.report.article.contents.contents` returns.
        figures: paths of the figures (PDF) by name.

    Raises:
        ConfigError: if Typst is not installed.
    """
    with sources(content, figures) as (typst, options):
        return typst.compile(format="pdf", timestamp=0, **options)


@contextmanager
def sources(content: Mapping[str, Any], figures: Mapping[str, str]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Collect everything that Typst reads in one folder; it reads nothing outside that folder.

    Yields:
        The module `typst`, and the arguments with which its functions find the article.
    """
    try:
        import typst
    except ImportError:
        raise ConfigError(f"the article needs the package typst: {INSTALL}") from None
    with tempfile.TemporaryDirectory(prefix="molap-article-") as name:
        folder = Path(name)
        shutil.copytree(TEXT, folder, dirs_exist_ok=True)
        for figure, path in figures.items():
            shutil.copy(path, folder / f"{figure}.pdf")
        (folder / DATA).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        yield typst, {"input": str(folder / MAIN), "root": name, "ignore_system_fonts": True}
