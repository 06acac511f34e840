"""Compare the outputs of two runs, byte for byte, but for the digest of the source that made them.

    python benchmarks/compare_runs.py results /elsewhere/results

Moved code has other digests, and must have the same results. Records are left out, and the page made of them: they hold
times; so is MLflow's folder. Ends with status 1 where anything differs or is on one side alone.
"""

import argparse
import json
import re
import struct
import sys
from pathlib import Path

import numpy as np

SUFFIXES = {".npz", ".csv", ".json", ".png", ".svg", ".pdf", ".html", ".md"}
OF_TIMES = (".record.json", ".attempt.json", "provenance.html", "article.pdf")
OTHERS = ("mlflow/", "README.md")
DIGEST = re.compile(rb'"code":"[0-9a-f]{12}"')
"""The digest in a provenance; in a PDF, each of its characters may take two bytes."""
WIDE_DIGEST = re.compile(rb'"\0c\0o\0d\0e\0"\0:\0"(\0[0-9a-f]){12}\0"')
IDENTITY = "identity"
"""The array by which a sweep that goes on knows what it computed: a hash of the digest and of other files' bytes."""
MANY = 20
"""Differences that are listed; of more, their number."""


def outputs(folder: Path) -> dict[str, Path]:
    """Return the outputs of all runs in a folder, by name, without hidden files and files that hold times."""
    names = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.suffix in SUFFIXES}
    return {
        name: file
        for name, file in names.items()
        if not name.endswith(OF_TIMES)
        and not name.startswith(OTHERS)
        and not any(part.startswith(".") for part in name.split("/"))
    }


def content(file: Path) -> dict[str, object]:
    """Return what a file holds, part by part, without the digest of the source."""
    if file.suffix == ".npz":
        return arrays(file)
    if file.suffix == ".png":
        return chunks(file.read_bytes())
    return {"bytes": without_digest(file.read_bytes())}


def arrays(file: Path) -> dict[str, object]:
    """Return the arrays of a file by name: type, shape and bytes; its provenance without the digest."""
    with np.load(file, allow_pickle=False) as found:
        parts: dict[str, object] = {name: (found[name].dtype, found[name].shape) for name in found.files}
        parts |= {f"{name}: values": found[name].tobytes() for name in found.files}
        if "provenance" in parts:
            provenance = json.loads(str(found["provenance"]))
            parts["provenance"] = {name: value for name, value in provenance.items() if name != "code"}
            del parts["provenance: values"]
    if file.name.endswith(".cells.npz"):
        del parts[f"{IDENTITY}: values"]
    return parts


def chunks(png: bytes) -> dict[str, object]:
    """Return the chunks of a PNG, without their checksums."""
    found: dict[str, object] = {}
    at = 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        found[f"{len(found)} {name.decode()}"] = without_digest(png[at + 8 : at + 8 + length])
        at += 12 + length
    return found


def without_digest(text: bytes) -> bytes:
    """Text with nothing in place of the digest."""
    return WIDE_DIGEST.sub(b"", DIGEST.sub(b"", text))


def differences(one: Path, other: Path) -> list[str]:
    """Return a line for every output that differs."""
    ours, theirs = outputs(one), outputs(other)
    found = [f"{name}: only in {one if name in ours else other}" for name in sorted(ours.keys() ^ theirs.keys())]
    for name in sorted(ours.keys() & theirs.keys()):
        a, b = content(ours[name]), content(theirs[name])
        parts = [part for part in {**a, **b} if a.get(part) != b.get(part)]
        if parts:
            found.append(f"{name}: {', '.join(parts)}{_first(a.get(parts[0]), b.get(parts[0]))}")
    return found


def _first(a: object, b: object) -> str:
    """Say where bytes begin to differ."""
    if not isinstance(a, bytes) or not isinstance(b, bytes):
        return ""
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return f", from byte {at} on: {a[at : at + 40]!r} and {b[at : at + 40]!r}"


def main() -> None:
    """Print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("one", type=Path, help="results of a run")
    parser.add_argument("other", type=Path, help="those of the other")
    arguments = parser.parse_args()
    n, found = len(outputs(arguments.one)), differences(arguments.one, arguments.other)
    print(f"{n} outputs, {len(found)} differ" if n else f"{arguments.one} holds no outputs")
    print("\n".join(found[:MANY] + [f"and {len(found) - MANY} more"] * (len(found) > MANY)))
    sys.exit(1 if found or not n else 0)


if __name__ == "__main__":
    main()
