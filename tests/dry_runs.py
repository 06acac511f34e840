"""A process that makes many dry runs: Snakemake is loaded once, and each run is a fork of it.

Reads a line of JSON `[folder, argument, …]` for each, and answers with one line `[exit status, output]`.
"""

import contextlib
import io
import json
import os
import sys

import jinja2  # noqa: F401
import numpy  # noqa: F401
import pandas  # noqa: F401
import pydantic  # noqa: F401
import yaml  # noqa: F401
from snakemake import cli
from snakemake.parser import parse  # noqa: F401


def dry_run(folder: str, arguments: list[str]) -> tuple[int, str]:
    """Run Snakemake in this process, with the sources of the folder."""
    os.chdir(folder)
    sys.path.insert(0, folder)
    text, status = io.StringIO(), 0
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(text):
        try:
            cli.main(["--dry-run", "--nolock", "--nocolor", *arguments])
        except SystemExit as end:
            status = end.code or 0
    return status, text.getvalue()


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        reader, writer = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reader)
            folder, *arguments = json.loads(line)
            with os.fdopen(writer, "w", encoding="utf-8") as answer:
                json.dump(dry_run(folder, arguments), answer)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as answer:
            text = answer.read()
        os.waitpid(child, 0)
        print(text, flush=True)


if __name__ == "__main__":
    main()
