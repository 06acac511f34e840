"""Convert a user's own recurrent network into the form of the reservoirs."""

import numpy as np

from molap.config.base import ConfigError, Section
from molap.jobs.job import Job, run_job
from molap.networks.own import content_digest, read_reservoir
from molap.storage.files import save_arrays


class Settings(Section):
    """Settings that the network depends on."""

    source: str
    content: str
    """Digest of the file, so that another matrix in its place is detected whatever its modification time."""
    seeds: tuple[int, ...]


def work(job: Job[Settings]) -> None:
    """Write the same recurrent weights and biases for every network seed, and the units' modules if they are known."""
    found = content_digest(job.inputs["file"])
    if found != job.settings.content:
        planned = f"planned {job.settings.content}, found {found}"
        raise ConfigError(f"{job.inputs['file']} has changed since it was planned ({planned}); run snakemake again")
    network, seeds = read_reservoir(job.inputs["file"]), job.settings.seeds
    w_rec = np.broadcast_to(network.w_rec, (len(seeds), *network.w_rec.shape))
    further = {} if network.modules is None else {"modules": network.modules}
    if network.module_names:
        further["module_names"] = np.array(network.module_names)
    if network.b_rec is not None:
        further["b_rec"] = np.broadcast_to(network.b_rec, (len(seeds), *network.b_rec.shape))
    save_arrays(job.outputs["arrays"], job.provenance, seeds=np.array(seeds), w_rec=w_rec, **further)


if __name__ == "__main__":
    run_job("own_network", Settings, work)
