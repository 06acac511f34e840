"""What an article is made from, without a run: the reference tables, a record, and pictures of the figures' sizes."""

import json
from pathlib import Path

import pandas as pd
import typst
from workflow_helpers import REPOSITORY

from molap.config.run import parse_config
from molap.planning.article import settings
from molap.report.article import typesetting
from molap.report.article.contents import OF_TABLES, contents
from molap.tasks.registry import load_tasks

TABLES = REPOSITORY / "docs" / "reference" / "tables"
SIZES = {
    "fig1c": (778, 245),
    "fig2": (936, 799),
    "fig3": (1080, 605),
    "fig5": (864, 648),
    "figS1": (713, 756),
    "figS2": (713, 929),
    "figS3": (713, 756),
    "figS4": (713, 929),
    "fig_areas": (778, 403),
    "fig_dni": (648, 288),
    "fig_learning": (936, 648),
    "fig_matched": (979, 439),
    "fig_scaling": (648, 461),
}
"""Width and height in points as the preset draws them; all others are as Fig 4."""
FIG4 = (713, 410)
RECORD = {
    "stage": "head",
    "code": "0123456789ab",
    "time": {
        "start": 1.8e9,
        "end": 1.8e9 + 60,
        "wall_s": 60,
        "cpu_s": 50,
        "startup_s": 1,
        "compilation_s": 2,
        "peak_memory_mb": 321,
    },
    "versions": {"python": "3.11.7", "jax": "0.10.2"},
    "git": {"commit": "feedc0ffee" * 4, "dirty": False},
    "machine": {"system": "Linux", "processor": "Processor", "cores": 2},
}
STUDIES = ("modules", "attribution", "fig_modules", "fig_attribution", "baselines", "fig_baselines")


class Sources:
    """The inputs of an article, which a test may change before it is made."""

    def __init__(self, folder: Path, config: dict, without: tuple[str, ...] = STUDIES) -> None:
        self.config = parse_config(config)
        self.values = self.config.model_dump(mode="json", exclude={"tracking"})
        self.folder = folder
        files = {path.stem: path for path in TABLES.glob("*.csv") if path.stem not in without}
        self.tables = {name: pd.read_csv(files[name]) for name in (*OF_TABLES, "claims") if name in files}
        self.planned = settings(self.config)
        self.figures = {name: self._picture(name) for name, *_ in self.planned["captions"] if name not in without}
        self.records = [json.loads(json.dumps(RECORD))]

    def _picture(self, name: str) -> str:
        file = self.folder / f"{name}.pdf"
        width, height = SIZES.get(name, FIG4)
        file.write_bytes(typst.compile(f"#set page(width: {width}pt, height: {height}pt)\n{name}".encode()))
        return str(file)

    def contents(self) -> dict:
        """All that the article says."""
        known = load_tasks(tuple(self.planned["trials"]["modules"]))
        shown = {name: str(TABLES / f"{name}.csv") for name in self.tables} | self.figures
        captions = [caption for caption in self.planned["captions"] if caption[0] in self.figures]
        tasks = [known[name] for name in self.config.tasks.names]
        return contents(self.values, self.tables, self.records, tasks, captions, shown)

    def pdf(self) -> bytes:
        """The article."""
        return typesetting.pdf(self.contents(), self.figures)

    def said(self) -> str:
        """The text of the typeset article, without the places where long words may be broken."""
        with typesetting.sources(self.contents(), self.figures) as (module, options):
            found = json.loads(module.query(selector="selector(par).or(list).or(figure).or(table)", **options))
        return " ".join("".join(_texts(found)).replace("\u200b", "").split())

    def pages(self) -> int:
        """The number of pages."""
        with typesetting.sources(self.contents(), self.figures) as (module, options):
            found = module.compile(format="png", ppi=10, **options)
        return len(found) if isinstance(found, list) else 1


def _texts(value: object) -> list[str]:
    """The texts among the elements of a query, in their order; a table's cells end with a bar."""
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    if not isinstance(value, dict):
        return []
    if value.get("func") == "space":
        return [" "]
    own = [value["text"]] if isinstance(value.get("text"), str) else []
    inner = [text for name, item in value.items() if name != "text" for text in _texts(item)]
    return [*own, *inner, *(["|"] if value.get("func") == "cell" else [])]
