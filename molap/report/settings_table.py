"""Show a run's settings in a table for readers: values next to those of the preset, and what they mean."""

import pandas as pd

from molap.config.base import Section
from molap.config.run import RunSettings


def parameters(values: dict) -> tuple[pd.DataFrame, list[bool]]:
    """Return one row per setting and, for each row, whether it differs from the preset `paper`.

    Args:
        values: the whole configuration as plain values, as stored in `configuration.json`.
    """
    rows = list(_rows(RunSettings, values, ""))
    table = pd.DataFrame(rows, columns=["key", "value", "paper", "meaning"])
    return table, [value != default and key != "name" for key, value, default, _ in rows]


def _rows(model: type[Section], values: dict, prefix: str):
    defaults = RunSettings().model_dump(mode="json")
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, Section):
            yield from _rows(annotation, values[name], f"{name}.")
        else:
            default = defaults[prefix[:-1]][name] if prefix else defaults[name]
            yield f"{prefix}{name}", _text(values[name]), _text(default), field.description or ""


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value) or "none"
    if isinstance(value, dict):
        return " ".join(f"{name} {_text(item)}" for name, item in sorted(value.items())) or "none"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
