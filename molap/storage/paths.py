"""Names used in paths and tables, and the blocks of network seeds."""

RESULTS = "results"
IN_SEQUENCE = ("dni", "sequential")
"""Strategies that teach one network the tasks in sequence."""
FITTED = ("cca", "pca")
"""Sources that are fitted on the corpus, and for which modules are pre-trained."""
NO_SWITCH = "none"
"""The run of the attribution in which no reading is switched."""
FORMER = "protocol"
"""The switch to the former way of training networks."""
ALL_TASKS = "all"
"""Task name that stands for the mean over tasks in tables."""


def switch_run(run: str, switch: str) -> str:
    """Return the run inside a run in which one reading is switched."""
    return f"{run}/switch/{switch}"


def block_name(seeds: list[int] | range) -> str:
    """Return the name of a block of network seeds: `s0`, or `s0-3` for several."""
    return f"s{seeds[0]}" if len(seeds) == 1 else f"s{seeds[0]}-{seeds[-1]}"


def block_seeds(block: str) -> list[int]:
    """Invert `block_name`."""
    first, _, last = block.removeprefix("s").partition("-")
    return list(range(int(first), int(last or first) + 1))
