"""The words of a job's command that name its files, and how they are read again."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from molap.storage.files import write_atomically

LONGEST = 20_000
"""Characters of these words in a command; the shell takes 128 kB as one argument."""

FOLDER = Path(".snakemake", "molap")
"""Where the words of longer commands lie, by their digest; `python -m molap.stages.NAME @FILE` reads them."""


def file_words(read: Mapping[str, str], written: Mapping[str, str]) -> list[str]:
    """Return `--input NAME=FILE …` and `--output NAME=FILE …`; or, where they are many, the one word `@FILE`."""
    named = [("--input", name, file) for name, file in read.items()]
    named += [("--output", name, file) for name, file in written.items()]
    words = [word for flag, name, file in named for word in (flag, f"{name}={file}")]
    text = "\n".join(words) + "\n"
    if len(text) < LONGEST:
        return words
    file = FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt"
    write_atomically(file, lambda stream: stream.write(text.encode()))
    return [f"@{file}"]


def expanded(words: Iterable[str]) -> list[str]:
    """Return a command's words with those of its `@FILE` in place."""
    found = []
    for word in words:
        found += Path(word[1:]).read_text(encoding="utf-8").splitlines() if word.startswith("@") else [word]
    return found
