"""Write what figure captions say about a configuration: the readings behind a figure, and the number of seeds."""

from molap.config.base import ConfigError
from molap.config.run import RunConfig


def over_seeds(c: RunConfig) -> str:
    """Say over how many network seeds the intervals of a figure are computed."""
    n = c.seeds.networks
    if n > 1:
        return f"The run has {n} network seeds. Bands and error bars, where shown, are 95 % intervals over them."
    return "The run has 1 network seed, so this is a description, not a test."


def over_draws(c: RunConfig) -> str:
    """Say the same for a figure whose bands show the draws if there is only one network seed."""
    bands = f" Bands are standard deviations over {c.perturbations.draws} draws." if c.seeds.networks == 1 else ""
    return over_seeds(c) + bands


def counted(c: RunConfig) -> str:
    """Say that a figure shows numbers that do not depend on seeds."""
    return "Counts do not depend on seeds."


def searched(c: RunConfig) -> str:
    """Say how many networks the search trains, and whether results use it."""
    n, first = c.tune.networks, c.tune.first_seed
    own, reported = range(first, first + n), range(c.seeds.first, c.seeds.first + c.seeds.networks)
    separate = max(own.start, reported.start) >= min(own.stop, reported.stop)
    networks = "1 network" if n == 1 else f"{n} networks"
    use = "which no result uses" if separate else "some of which results also use"
    return f"Every candidate trains {networks} of each kind and task, with seeds from {first} on, {use}."


def readings(c: RunConfig, keys: tuple[str, ...]) -> str:
    """Name the values of configuration keys, in reStructuredText."""
    values = c.model_dump(mode="json")
    return f"Reading: {', '.join(_reading(values, key) for key in keys)}."


def _reading(values: dict, key: str) -> str:
    section, _, name = key.partition(".")
    if name not in values.get(section, {}):
        raise ConfigError(f"a figure's row names the reading {key!r}, which is not a key of the configuration")
    value = values[section][name]
    text = {None: "none", True: "yes", False: "no"}.get(value, value) if isinstance(value, bool | None) else value
    return f"``{key}`` {f'{text:g}' if isinstance(text, float) else text}"
