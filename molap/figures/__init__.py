"""Draw figures from tables; no figure reads a network or computes a result.

`molap.figures.fig2(run, …)` and its neighbours (`molap/opened/figures.py`) draw the figures of an opened run, for a
choice of kinds and tasks. They are loaded when they are first used.
"""

import importlib
from typing import Any

_OF_A_RUN = (
    *("fig1c", "fig2", "fig3", "fig4", "fig5", "curves"),
    *("fig_areas", "fig_dni", "fig_learning", "fig_matched", "fig_scaling"),
)


def __getattr__(name: str) -> Any:
    if name in _OF_A_RUN:
        return getattr(importlib.import_module("molap.opened.figures"), name)
    raise AttributeError(
        f"module 'molap.figures' has no attribute {name!r}; figures of a run are {', '.join(_OF_A_RUN)}"
    )


def __dir__() -> list[str]:
    return [*globals(), *_OF_A_RUN]
