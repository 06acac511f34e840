"""Plan the article: its captions, the digest of its text, and the studies that join it."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

from molap.config.base import ConfigError
from molap.config.run import RunConfig
from molap.planning.contents import curve_figures
from molap.planning.figures import CURVES, FIGURES, captions, wanted_figures
from molap.planning.setting_parts import channels

TEXT = Path(__file__).parents[1] / "report" / "article" / "text"
"""Text, layout and references of the article, which are no Python and so no part of a digest of source."""
STUDIES = {
    "modules": ("modules", "fig_modules"),
    "baselines": ("performance", "fig_baselines"),
    "attribution": ("attribution", "fig_attribution"),
}
"""Studies with a target of their own that join the article → their table and figure; the baselines' table is that of
their own run."""
PAPER_FIRST = ("fig1c", "fig2", "fig3", "fig4", "fig5")


def settings(c: RunConfig) -> dict:
    """Return the settings of the article: tasks, captions of all figures that it may show, digest of its text."""
    names = [*wanted_figures(c), *curve_figures(c), *(figure for _, figure in STUDIES.values())]
    ordered = [name for name in PAPER_FIRST if name in names]
    ordered += [name for name in dict.fromkeys(names) if name not in ordered]
    said = captions(c, with_readings=False)  # the article has a table of all readings
    titles = {name: row.title for name, row in FIGURES.items()} | {name: row.title for name, row in CURVES.items()}
    return {
        "trials": channels(c),
        "tasks": list(c.tasks.names),
        "captions": [[name, titles[name], said[name]] for name in ordered],
        "text": text_digest(),
    }


def text_digest() -> str:
    """Return the digest (12 hex digits) of the article's text."""
    digest = hashlib.sha256()
    for file in sorted(TEXT.iterdir()):
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def check_typst() -> None:
    """Check that the package is there which typesets the article.

    Raises:
        ConfigError: if it is not, in one line that says what to install.
    """
    if find_spec("typst") is None:
        raise ConfigError("article: the package typst is not installed: pip install -e '.[article]' -c envs/pins.txt")
