"""Write the whole configuration of a run, defaults included."""

from molap.config.run import RunSettings
from molap.jobs.job import Job, run_job
from molap.storage.files import write_json


def work(job: Job[RunSettings]) -> None:
    """Write every setting."""
    write_json(job.outputs["json"], job.settings.model_dump(mode="json"))


if __name__ == "__main__":
    run_job("configuration", RunSettings, work)
