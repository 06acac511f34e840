"""Fit CCA and PCA to the corpus, and build the signals on which modules are pre-trained.

`molap.primitives.CCA` and `PCA` are scikit-learn estimators (`estimators.py`), loaded when they are first used.
"""

import importlib
from typing import Any

_ESTIMATORS = ("CCA", "PCA")


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(importlib.import_module("molap.primitives.estimators"), name)
    raise AttributeError(f"module 'molap.primitives' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *_ESTIMATORS]
