"""Make the report's HTML pages, each a single self-contained file with tables that can be searched and sorted."""

import html
import math
import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from molap.storage.files import write_atomically

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1e293b; margin: 1.5rem 2rem; }
h1 { font-size: 1.4rem; margin: 0 0 .3rem; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .3rem; }
p { max-width: 50rem; margin: .3rem 0 .8rem; } code { font-size: .9em; }
input { font: inherit; padding: .25rem .6rem; border: 1px solid #cbd5e1; border-radius: .4rem; width: 18rem; }
.count { color: #64748b; margin-left: .8rem; }
table { border-collapse: collapse; margin-top: .6rem; font-size: .85rem; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: #f1f5f9; text-align: left; cursor: pointer; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid #e2e8f0; vertical-align: top; }
td { white-space: nowrap; }
td.long { white-space: normal; min-width: 9rem; max-width: 14rem; overflow-wrap: anywhere; }
td.long:last-child { min-width: 26rem; max-width: 40rem; }
td.n, th.n { text-align: right; } tr:hover td { background-color: #f8fafc; } tr.strong td { font-weight: 600; }
"""

SCRIPT = """
const key = cell => cell.dataset.v === undefined ? cell.textContent.toLowerCase() : Number(cell.dataset.v);
for (const part of document.querySelectorAll('section')) {
  const body = part.querySelector('tbody'), rows = [...body.rows], count = part.querySelector('.count');
  const show = () => {
    const words = part.querySelector('input').value.toLowerCase().split(/\\s+/);
    let n = 0;
    for (const row of rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
      n += !row.hidden;
    }
    count.textContent = n + ' of ' + rows.length + ' rows';
  };
  part.querySelector('input').addEventListener('input', show);
  part.querySelectorAll('th').forEach((head, i) => head.addEventListener('click', () => {
    const up = head.dataset.up = head.dataset.up === '1' ? '0' : '1';
    const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
    rows.sort((a, b) => (up === '1' ? 1 : -1) * order(key(a.cells[i]), key(b.cells[i])));
    body.append(...rows);
  }));
  show();
}
"""

LONG = 36
"""Number of characters above which a cell may break into several lines."""


def table(title: str, about: str, rows: pd.DataFrame, bar: str = "", strong: Iterable[bool] = ()) -> str:
    """Return a section with a table: its heading, a search field, and columns that sort when clicked.

    Args:
        title: the heading; omitted if empty.
        about: what the table contains.
        rows: the table; numbers are shown to four digits.
        bar: a column of percentages that are also shown as bars.
        strong: for each row, whether it is set in bold.
    """
    numbers = {name for name in rows if pd.api.types.is_numeric_dtype(rows[name])}
    heads = "".join(
        f"<th{' class=n' if name in numbers else ''}>{in_html(name).replace('_', '_<wbr>')}</th>" for name in rows
    )
    marks = [*strong] or [False] * len(rows)
    lines = []
    for values, mark in zip(rows.itertuples(index=False), marks, strict=True):
        cells = "".join(
            _number_cell(value, name == bar) if name in numbers else _text_cell(value)
            for name, value in zip(rows, values, strict=True)
        )
        lines.append(f"<tr{' class=strong' if mark else ''}>{cells}</tr>")
    return (
        f"<section>{f'<h2>{in_html(title)}</h2>' if title else ''}<p>{about}</p>"
        '<input type="search" placeholder="search rows" aria-label="search rows"><span class="count"></span>'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{chr(10).join(lines)}\n</tbody></table></section>"
    )


def _text_cell(value: object) -> str:
    text = "" if value is None or value != value else str(value)
    return f"<td{' class=long' if len(text) > LONG else ''}>{in_html(text)}</td>"


def _number_cell(value: int | float, bar: bool) -> str:
    if math.isnan(value):
        return "<td class=n data-v=-Infinity>–</td>"
    style = f' style="background: linear-gradient(90deg, #bfdbfe {value:.1f}%, transparent 0)"' if bar else ""
    return f"<td class=n data-v={value:.9g}{style}>{_number(value)}</td>"


def _number(value: int | float) -> str:
    """Write whole and large numbers in full, and others to four digits."""
    if float(value).is_integer() or abs(value) >= 1e4:
        return f"{value:,.0f}"
    return f"{value:.4g}" if abs(value) >= 1e-3 else f"{value:.3e}"


def in_html(value: object) -> str:
    """Return text as HTML; text in backticks becomes code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(str(value)))


def write_page(path: str | Path, title: str, about: str, *sections: str) -> None:
    """Write a page of sections; `about` and the sections are HTML."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1><p>{about}</p>"
        f"{''.join(sections)}<script>{SCRIPT}</script></body></html>\n"
    )
    write_atomically(path, lambda file: file.write(text.encode()))
