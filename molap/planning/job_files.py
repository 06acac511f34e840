"""The words of a job's command that name its files: how they are written, and how they are read back."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from molap.storage.files import write_atomically

LONGEST = 20_000
"""Limit of these words in a command, in characters."""

SHELL_LIMIT = 100_000
"""Limit of these words where no file can be written, in characters; the shell accepts 128 kB as one argument."""

FOLDER = Path(".snakemake", "molap")
"""Folder of the words of longer commands, named by their digest; `python -m molap.stages.NAME @FILE` reads them."""


def file_words(read: Mapping[str, str], written: Mapping[str, str]) -> list[str]:
    """Return `--input NAME=FILE …` and `--output NAME=FILE …`, or the single word `@FILE` if they are too long."""
    named = [("--input", name, file) for name, file in read.items()]
    named += [("--output", name, file) for name, file in written.items()]
    words = [word for flag, name, file in named for word in (flag, f"{name}={file}")]
    text = "\n".join(words) + "\n"
    if len(text) < LONGEST:
        return words
    file = FOLDER / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt"
    if not (file.is_file() and file.read_bytes() == text.encode()):
        try:
            write_atomically(file, lambda stream: stream.write(text.encode()))
        except OSError:
            if len(text) > SHELL_LIMIT:
                raise
            return words  # a dry run in a folder that may only be read
    return [f"@{file}"]


def expanded(words: Iterable[str]) -> list[str]:
    """Return a command's words with `@FILE` replaced by the words of that file."""
    found = []
    for word in words:
        found += Path(word[1:]).read_text(encoding="utf-8").rstrip("\n").split("\n") if word.startswith("@") else [word]
    return found
