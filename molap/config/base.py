"""The base of every configuration section: frozen, typed, and refusing unknown keys."""

import difflib
import functools
import os
import re
import types
import typing
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pydantic

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

R = typing.TypeVar("R")


def _not_a_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError(f"{value} is not allowed; give a number")
    return value


Number = typing.Annotated[float, pydantic.BeforeValidator(_not_a_truth_value)]
"""A number in a list; like any other number it may arrive as text, as `1e-2` does from YAML."""
Whole = typing.Annotated[int, pydantic.BeforeValidator(_not_a_truth_value)]
"""A whole number in a list."""
UserPath = typing.Annotated[str, pydantic.AfterValidator(os.path.expanduser)]
"""A path as a user types it, in which ~ is the home folder."""
LONGEST = 300
"""Characters of a value that a message quotes."""


class ConfigError(ValueError):
    """Raised when a configuration is refused; the message names the field, the value and what is allowed."""


def _state(name: object) -> tuple | None:
    """Return the time and size by which a changed file is noticed; None for anything but a file's name."""
    if isinstance(name, tuple):
        return tuple(map(_state, name))
    if not isinstance(name, str | Path):
        return None
    try:
        found = Path(name).stat()
    except (OSError, ValueError):  # whoever reads the file says what is wrong
        return None
    return found.st_mtime_ns, found.st_size


def in_one_line(error: BaseException) -> str:
    """Return the type and the message of an error as one line, cut if it is long."""
    line = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


class CachedByFiles(typing.Generic[R]):
    """Cache a function of names of files; call it again for a file that has changed."""

    def __init__(self, function: Callable[..., R]) -> None:
        functools.update_wrapper(self, function)
        self._cached = functools.lru_cache(maxsize=1024)(lambda states, *values, **named: function(*values, **named))

    def __call__(self, *values: typing.Any, **named: typing.Any) -> R:
        return self._cached(tuple(map(_state, (*values, *named.values()))), *values, **named)

    def cache_clear(self) -> None:
        """Forget all results."""
        self._cached.cache_clear()


class Section(pydantic.BaseModel):
    """A frozen group of settings; an unknown key, a wrong type or a value out of range is refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.model_validator(mode="before")
    @classmethod
    def _refuse_truth_values_as_numbers(cls, values):
        if isinstance(values, dict):
            for name, field in cls.model_fields.items():
                kinds = {field.annotation, *typing.get_args(field.annotation)}
                if values.get(name) == "null" and types.NoneType in kinds:  # so it comes from Snakemake's --config
                    values = {**values, name: None}
                if isinstance(values.get(name), bool) and bool not in kinds and kinds & {int, float}:
                    raise ValueError(f"{name}: {values[name]} is not allowed; give a number")
        return values


S = typing.TypeVar("S", bound=Section)


def check(model: type[S], values: object) -> S:
    """Build `model` from plain values.

    Raises:
        ConfigError: one line per refused field, each with the field, the value and what is allowed.
    """
    try:
        return model.model_validate(values)
    except pydantic.ValidationError as error:
        items = error.errors()
        # If an item of a list is refused, the outer list is also reported as too short; only the item matters.
        inner = [i for i in items if not any(_encloses(i["loc"], other["loc"]) for other in items)]
        raise ConfigError("\n".join(_explain(model, item) for item in inner)) from None


def _encloses(outer: tuple, inner: tuple) -> bool:
    return len(outer) < len(inner) and inner[: len(outer)] == outer


def _explain(model: type[Section], item: "ErrorDetails") -> str:
    kind, context, value = item["type"], item.get("ctx", {}), shown(item["input"])
    *above, last = item["loc"] or ("",)
    # Pydantic puts its own checks into the path (`function-after[…]`); an unknown key may look the same.
    path = [part for part in above if not (isinstance(part, str) and "[" in part)]
    path += [last] if kind == "extra_forbidden" or not (isinstance(last, str) and "[" in last) else []
    field = ".".join(part if isinstance(part, str) and part.isprintable() else repr(part) for part in path)
    if kind == "extra_forbidden":
        allowed = list(_section_at(model, path[:-1]).model_fields)
        return f"{field}: unknown key; allowed are {', '.join(allowed)}{did_you_mean(str(path[-1]), allowed)}"
    if kind == "value_error":
        # Validators of a whole section name their field themselves.
        message = str(context["error"])
        own = re.split("[:.]", message)[0] in _section_at(model, path).model_fields
        return f"{field}{'.' if own else ': '}{message}" if field else message
    if kind == "literal_error":
        return f"{field}: {value} is not allowed; allowed: {context['expected']}"
    if kind in ("list_type", "tuple_type"):
        example = f", for example [{item['input']}]" if isinstance(item["input"], str | int | float) else ""
        return f"{field}: {value} is not allowed; give a list{example if len(example) < LONGEST else ''}"
    if kind in ("model_type", "dict_type"):
        keys = f", such as {next(iter(_section_at(model, path).model_fields))}" if kind == "model_type" else ""
        return f"{field}: {value} is not allowed; give a section of keys and values{keys}"
    reason = item["msg"].replace("Input should be", "it must be")
    return f"{field}: {value} is not allowed; {reason[0].lower()}{reason[1:]}"


def did_you_mean(name: str, known: Collection[str], meant: Mapping[str, str] = types.MappingProxyType({})) -> str:
    """Return `; did you mean …?` with the known name that is likely to be meant; empty if none is."""
    close = meant.get(name.lower()) or next(iter(difflib.get_close_matches(name, known, n=1)), "")
    return f"; did you mean {close}?" if close in known else ""


def shown(value: object) -> str:
    """Return a value as a message quotes it: in one line, and cut if it is long."""
    text = " ".join(repr(value).split()) if "\n" in repr(value) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _section_at(model: type[Section], path: list) -> type[Section]:
    for part in path:
        if isinstance(part, int):
            continue
        if part not in model.model_fields:  # a key of the user's own
            break
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *typing.get_args(annotation)]
        if isinstance(annotation, types.UnionType):
            candidates = list(typing.get_args(annotation))
        nested = [c for c in candidates if isinstance(c, type) and issubclass(c, Section)]
        if nested:
            model = nested[0]
    return model
