"""Fit the latent primitives on the corpus: CCA, or the PCA control."""

from typing import Literal

from molap.config.base import Section
from molap.jobs.job import Job, run_job
from molap.primitives.fit import fit_cca, fit_pca
from molap.storage.files import load_arrays, save_arrays


class Settings(Section):
    """Settings that a fit depends on, besides the corpus."""

    source: Literal["cca", "pca"]
    joint: bool = False


def work(job: Job[Settings]) -> None:
    """Fit all components and write them."""
    corpus = load_arrays(job.inputs["corpus"])
    inputs, targets = (corpus[name].reshape(-1, corpus[name].shape[-1]) for name in ("inputs", "targets"))
    if job.settings.source == "cca":
        fitted = fit_cca(inputs, targets)
    else:
        fitted = fit_pca(inputs, targets, joint=job.settings.joint)
    save_arrays(job.outputs["arrays"], job.provenance, **fitted.flat())
    job.metrics = {"correlations": fitted.correlations, "target_r2": fitted.target_r2}
    job.better = dict.fromkeys(job.metrics, "higher")


if __name__ == "__main__":
    run_job("primitives", Settings, work)
