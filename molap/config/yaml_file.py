"""Read a YAML file strictly: nothing is dropped, and nothing means what its text does not say.

YAML 1.1, which PyYAML reads, takes the last of two equal keys, 010 for 8, and 1:30 for 90.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from molap.config.base import ConfigError

OTHERWISE = re.compile(r"[-+]?(0[0-7_]*[1-7][0-7_]*|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
"""Numbers of YAML that read otherwise: octal ones that begin with 0, and those with colons, to the base 60."""
MERGE, NUMBERS = "tag:yaml.org,2002:merge", ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
MOST_NODES = 100_000
"""Values that a file may hold, those that it names by `*` each time; a few lines could name more than memory holds."""


def read_yaml(path: str | Path) -> dict[str, Any]:
    """Return what a YAML or JSON file of keys holds.

    Raises:
        ConfigError: in one line with the file's name, if it cannot be read, is not UTF-8 or not YAML, is empty or
            not a mapping, has a key twice, or a number that YAML reads otherwise than it stands there.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        byte = error.object[error.start]
        raise ConfigError(f"{path}: is not UTF-8: byte 0x{byte:02x} in line {line}; save it as UTF-8") from None
    except ValueError as error:  # a name with a null character
        raise ConfigError(f"{str(path)!r}: cannot be read: {error}") from None
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigError(f"{path}: is empty; a mapping of sections is needed (`name: mine` alone will do)")
        _check(node, path)
        values = loader.construct_document(node)
    except ConfigError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date or number that is none
        reason = "too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
        raise ConfigError(f"{path}: cannot be read as YAML: {reason}") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: holds a {type(values).__name__}; a mapping of sections is allowed")
    for name in values:
        if not isinstance(name, str):
            raise ConfigError(f"{path}: the key {name!r} is not allowed; sections have names")
    return values


def _check(node: yaml.Node, path: str | Path) -> None:
    """Refuse a key that appears twice, a number that reads otherwise, and references without end."""
    sizes: dict[int, int] = {}
    _size(node, sizes, set(), path)
    for inner in _nodes(node):
        if isinstance(inner, yaml.MappingNode):
            lines: dict[str, int] = {}
            for key, _ in inner.value:
                line = key.start_mark.line + 1
                if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                    if key.value in lines:
                        raise ConfigError(
                            f"{path}: {key.value!r} appears twice, in lines {lines[key.value]} and {line}; keep one"
                        )
                    lines[key.value] = line
        elif isinstance(inner, yaml.ScalarNode) and inner.tag in NUMBERS and OTHERWISE.fullmatch(inner.value):
            value = yaml.safe_load(inner.value)
            raise ConfigError(
                f"{path}: {inner.value} in line {inner.start_mark.line + 1} means {value:g} in YAML; write it so, "
                "without zeros in front or colons, or in quotes if it is text"
            )


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _nodes(root: yaml.Node) -> list[yaml.Node]:
    """Return every node once."""
    found, waiting = {id(root): root}, [root]
    while waiting:
        for child in _children(waiting.pop()):
            if id(child) not in found:
                found[id(child)] = child
                waiting.append(child)
    return list(found.values())


def _size(node: yaml.Node, sizes: dict[int, int], above: set[int], path: str | Path) -> int:
    """Return how many values a node holds, with what it names by `*` as often as it does."""
    if id(node) in above:
        raise ConfigError(f"{path}: the value in line {node.start_mark.line + 1} holds itself")
    if id(node) not in sizes:
        above.add(id(node))
        sizes[id(node)] = 1 + sum(_size(child, sizes, above, path) for child in _children(node))
        above.discard(id(node))
    if sizes[id(node)] > MOST_NODES:
        raise ConfigError(f"{path}: holds more than {MOST_NODES:,} values")
    return sizes[id(node)]
