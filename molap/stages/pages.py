"""Make the report's pages of the settings and of every table."""

from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.report.pages import in_html, table, write_page
from molap.report.settings_table import parameters
from molap.storage.files import read_json, read_table


class Settings(Section):
    """Settings: the contents of each table, in words."""

    contents: dict[str, str]


def work(job: Job[Settings]) -> None:
    """Write the page of the settings, and one for each table among the inputs."""
    values = read_json(job.inputs["configuration"])
    settings, differs = parameters(values)
    write_page(
        job.outputs["parameters"],
        "Settings of this run",
        f"{sum(differs)} of {len(settings)} settings, in bold, differ from the preset <code>paper</code>. "
        "Each key is one that a configuration file can set. docs/readings.md explains those that are readings.",
        table("", "", settings, strong=differs),
    )
    for name, contents in job.settings.contents.items():
        rows = read_table(job.inputs[name], keep_default_na=False, na_values=[""])
        about = (
            f"{in_html(contents)}. Numbers are shown to four digits; <code>tables/{name}.csv</code> has them in full."
        )
        write_page(job.outputs[name], f"Table: {name}", about, table("", "", rows))


if __name__ == "__main__":
    run_job("pages", Settings, work)
