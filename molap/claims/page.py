"""Make the page of verdicts, as Markdown and HTML: a table of all verdicts, then each claim with its figures."""

import base64
import html
import io
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from PIL import Image

from molap.claims.power import MOST
from molap.claims.verdicts import HOLDS, LEARNED, ONE

ABOUT = (
    "Each claim of the paper is tested on the tables of this run. A claim holds if all its parts do, that is, if the "
    "95 % interval (Student's t) of each effect over network seeds is where it must be. It does not hold if the "
    "interval of one part, with its error divided by the number of parts, is outside. Otherwise it is undecided, and "
    "the table says how many networks would decide it if means and deviations stayed as they are. If instead the "
    "interval of a difference is within the margin of the claims file, the two are practically equal. Draws of "
    "perturbations and test trials are averaged for each network first. With one network there is no verdict. Networks "
    "that stay below the best constant output have failed. Effects are in points of accuracy (%) unless named "
    "otherwise. Intervals are symmetric, so they may pass 100 %. Counts and the corpus have none."
)
HEADS = ("claim", "verdict", "by decision outputs", "without failed networks", "what decides", "effect", "networks")
OTHERWISE = {LEARNED: "Without networks that failed"}
"""Headings of parts judged by a column or networks other than the claim's own; by default, the column's name."""
WIDTH, N_COLOURS = 1200, 255
"""Width and number of colours of figures inside the HTML page: in the report, browsers do not open a page of more than
2 MB. The full figures are next to the page."""
COLUMNS = {"part": "part", "must_be": "must be", "effect": "effect", "n_seeds": "networks", "verdict": "verdict"}


def effect(row: pd.Series) -> str:
    """Return a mean and its interval as text."""
    if pd.isna(row["mean"]):
        return ""
    if pd.isna(row.low):
        return f"{row['mean']:.2f}"
    return f"{row['mean']:.2f} ({row.low:.2f} to {row.high:.2f})"


def _networks(row: pd.Series) -> str:
    return "" if pd.isna(row.n_seeds) else str(int(row.n_seeds)) if row.n_seeds else "–"


def overview(verdicts: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the table of all claims, with the columns of `HEADS`."""
    rows: list[tuple[str, ...]] = []
    for _, row in verdicts.iterrows():
        decides = row.part if pd.isna(row.must_be) else f"{row.part}: {row.must_be}"
        others = (row.get(f"verdict_{by}") for by in ("decision_accuracy", LEARNED))
        by, learned = (other if isinstance(other, str) else "" for other in others)
        claim = f"{row.claim}. {row.says}"
        rows.append((claim, _verdict(row), by, learned, decides, effect(row), _networks(row)))
    return rows


def _verdict(row: pd.Series) -> str:
    """Return the verdict on a claim or part and, if that is undecided, how many networks would decide it."""
    needed = row.get("n_needed", math.nan)
    if pd.isna(needed):
        return row.verdict
    return f"{row.verdict} ({'over ' + format(MOST, ',') if math.isinf(needed) else int(needed)} networks would decide)"


def _blocks(parts: pd.DataFrame, claim: int) -> list[tuple[str, pd.DataFrame]]:
    """Return a claim's parts by its own column (without a name), then by each other column (`also_by`)."""
    own = parts[parts.claim == claim]
    return list(own.groupby(own.by.astype(object).fillna(""), sort=False))


def parts_of_claim(parts: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return a claim's parts, with the columns of `COLUMNS`, and the verdict on each part alone if it differs."""
    rows: list[tuple[str, ...]] = []
    for _, row in parts.iterrows():
        must_be = "" if pd.isna(row.must_be) else row.must_be
        said = _verdict(row) if row.alone == row.verdict else f"{row.verdict} (alone: {row.alone})"
        rows.append((row.part, must_be, effect(row), _networks(row), said))
    return rows


def _cells(row: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join([_cells(heads), "|" + "---|" * len(heads), *map(_cells, rows)])


def markdown(run: str, verdicts: pd.DataFrame, parts: pd.DataFrame, figures: Mapping[str, str]) -> str:
    """Return the page as Markdown.

    Args:
        run: name of the run.
        verdicts: one row per claim.
        parts: one row per part.
        figures: paths of the existing figures by name, relative to the page.
    """
    counts = ", ".join(f"{n} {verdict}" for verdict, n in verdicts.verdict.value_counts().items())
    text = [f"# The paper's claims: {run}", ABOUT, f"{counts}.", _table(HEADS, overview(verdicts))]
    for _, row in verdicts.iterrows():
        text.append(f"## {row.claim}. {row.says}")
        reading = f" Our reading: {row.reading}" if isinstance(row.reading, str) and row.reading else ""
        text.append(f"{row.place}. **{row.verdict}**.{reading}")
        for by, own in _blocks(parts, row.claim):
            rows = _table(tuple(COLUMNS.values()), parts_of_claim(own))
            heading = OTHERWISE.get(by, f"By <code>{by}</code>")
            text += [f"<details><summary>{heading}</summary>", rows, "</details>"] if by else [rows]
        text += [f"![{name}]({figures[name]})" for name in row.figures.split() if name in figures]
        text.append(f"Tables: {', '.join(f'`{table}.csv`' for table in row.tables.split())}.")
    return "\n\n".join(text) + "\n"


def pictures(images: Mapping[str, Path]) -> str:
    """Return an HTML style with the figures, so that the page holds each only once, however many claims show it."""
    rules = (
        f".{name} {{ content: url(data:image/png;base64,{base64.b64encode(small(path)).decode()}) }}"
        for name, path in images.items()
    )
    return f"<style>.figure {{ max-width: 100%; display: block }} {' '.join(rules)}</style>"


def small(path: Path) -> bytes:
    """Return a figure as a PNG with few colours, no wider than the page shows it."""
    with Image.open(path) as opened:
        image = opened.convert("RGB")
        image.thumbnail((WIDTH, 10 * WIDTH))
        content = io.BytesIO()
        image.quantize(N_COLOURS, dither=Image.Dither.NONE).save(content, "png", optimize=True)
        return content.getvalue()


def _html_table(rows: list[tuple[str, ...]]) -> str:
    heads = "".join(f"<th>{html.escape(name)}</th>" for name in COLUMNS.values())
    lines = ("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>" for cells in rows)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def section(row: pd.Series, parts: pd.DataFrame, images: Mapping[str, Path]) -> str:
    """Return one claim as HTML, with its figures from `pictures`; it is unfolded if there is something to explain."""
    esc = html.escape
    reading = f" Our reading: {esc(row.reading)}" if isinstance(row.reading, str) and row.reading else ""
    tables = ""
    for by, own in _blocks(parts, row.claim):
        rows = _html_table(parts_of_claim(own))
        heading = OTHERWISE.get(by, f"By <code>{esc(by)}</code>")
        tables += f"<details><summary>{heading}</summary>{rows}</details>" if by else rows
    shown = "".join(
        f'<div class="figure {name}" role="img" aria-label="{name}"></div>'
        for name in row.figures.split()
        if name in images
    )
    return (
        f'<details{"" if row.verdict in (HOLDS, ONE) else " open"} id="claim{row.claim}">'
        f"<summary><b>{row.claim}. {esc(row.says)}</b> {esc(_verdict(row))}</summary>"
        f"<p>{esc(row.place)}.{reading}</p>{tables}{shown}</details>"
    )
