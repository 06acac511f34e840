"""Make the page of the verdicts: Markdown, and HTML for the report."""

import os
from pathlib import Path

import pandas as pd

from molap.claims.page import ABOUT, HEADS, markdown, overview, pictures, section
from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.report.pages import table, write_page
from molap.storage.files import read_table, write_atomically


class Settings(Section):
    """Settings: the run whose claims the page shows."""

    run: str


def work(job: Job[Settings]) -> None:
    """Write both pages."""
    verdicts, parts = (read_table(job.inputs[name]) for name in ("claims", "parts"))
    verdicts = verdicts.fillna({"figures": ""})
    named = set(" ".join(verdicts.figures).split())
    images = {name: Path(path) for name, path in job.inputs.items() if name in named}
    here = Path(job.outputs["markdown"]).parent
    links = {name: os.path.relpath(path, here) for name, path in images.items()}
    text = markdown(job.settings.run, verdicts, parts, links)
    write_atomically(job.outputs["markdown"], lambda file: file.write(text.encode()))
    rows = pd.DataFrame(overview(verdicts), columns=list(HEADS))
    sections = [pictures(images)] + [section(row, parts, images) for _, row in verdicts.iterrows()]
    write_page(job.outputs["page"], "The paper's claims", ABOUT, table("", "", rows), *sections)


if __name__ == "__main__":
    run_job("claims_page", Settings, work)
