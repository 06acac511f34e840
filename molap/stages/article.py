"""Typeset the article of a run: text, tables and figures, from its tables, configuration and records."""

from molap.config.base import Section
from molap.config.tasks import TrialSettings
from molap.jobs.job import Job, run_job
from molap.report.article.contents import OF_TABLES, contents
from molap.report.article.typesetting import pdf
from molap.storage.files import read_json, read_table, write_atomically
from molap.tasks.registry import load_tasks

RECORDS = "record/"
"""Prefix of the names of inputs that are records."""


class Settings(Section):
    """Settings: tasks, captions, and a digest of the article's text."""

    trials: TrialSettings
    tasks: tuple[str, ...]
    captions: tuple[tuple[str, str, str], ...]
    """Name, title and caption of every figure that the run may have, in their order."""
    text: str


def work(job: Job[Settings]) -> None:
    """Write the article."""
    known = load_tasks(job.settings.trials.modules)
    named = {name: path for name, path in job.inputs.items() if not name.startswith(RECORDS)}
    records = [read_json(path) for name, path in job.inputs.items() if name.startswith(RECORDS)]
    figures = {name: path for name, path in named.items() if path.endswith(".pdf")}
    tables = {name: read_table(named[name]) for name in (*OF_TABLES, "claims") if name in named}
    content = contents(
        read_json(named["configuration"]),
        tables,
        records,
        [known[name] for name in job.settings.tasks],
        [caption for caption in job.settings.captions if caption[0] in figures],
        {name: path for name, path in named.items() if name != "configuration"},
    )
    article = pdf(content, figures)
    write_atomically(job.outputs["article"], lambda file: file.write(article))


if __name__ == "__main__":
    run_job("article", Settings, work)
