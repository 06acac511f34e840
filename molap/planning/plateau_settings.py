"""The part of a run's configuration on which the stages of `snakemake diagnose` depend, and nothing more."""

from molap.config.run import RunConfig
from molap.planning.setting_parts import criterion
from molap.storage.paths import FORMER, block_seeds


def protocols(c: RunConfig) -> dict[str, dict]:
    """Return how separate networks are trained, now and before, as far as the legend of the figure states it."""
    own = {"readout_init": c.network.readout_init}
    own |= {name: getattr(c.separate, name) for name in ("learning_rate", "recurrent_rate", "n_steps")}
    changes = c.attribution.switches.get(FORMER, {})
    changed = changes.get("network", {}) | changes.get("separate", {})
    return {"now": own, "before": {name: changed.get(name, value) for name, value in own.items()}}


def plateau(c: RunConfig, block: str, task: str, **_) -> dict:
    """Return the settings on which the diagnosis of a task's separate networks depends."""
    return {
        "task": task,
        "seeds": block_seeds(block),
        "criterion": criterion(c, [task]),
        "state_noise": c.network.state_noise,
        "data_seed": c.seeds.data,
    }
