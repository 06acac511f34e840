"""Modular latent primitives: a reference implementation of arXiv 2105.14108.

From Python: `molap.open("results/paper")` opens a finished run, `molap.train({...})` trains networks,
`molap.bring(fit, "mine.npz")` brings in a fitted network. Each is loaded when it is first used, so that
`import molap` costs nothing.
"""

import importlib
from typing import Any

_LAZY = {
    "open": ("molap.opened.opening", "open_run"),
    "bring": ("molap.networks.own", "bring"),
    "train": ("molap.interface", "train"),
}


_PACKAGES = ("figures", "primitives")


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return importlib.import_module(f"molap.{name}")
    if name in _LAZY:
        module, attribute = _LAZY[name]
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'molap' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_LAZY, *_PACKAGES]
