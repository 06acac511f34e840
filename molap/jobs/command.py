"""Run a command that a person types: with uniform help, and with refusals in one line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from molap.jobs.surroundings import fix

SHOWN: dict[str, Any] = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}
"""Options that give the help of all commands the same form."""


class Whole(click.IntRange):
    """A whole number between limits, which help and error messages call an integer."""

    name = "integer"


class Refused(click.ClickException):
    """Raised when a command does not do what was asked; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.ctx = click.get_current_context()


@contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """Print errors of these kinds in one line, without a traceback; use it to decorate a command's function."""
    try:
        yield
    except kinds as error:
        raise Refused(_line(error)) from None


def _line(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error.args[0] if isinstance(error, KeyError) else error)  # its str() quotes the message


def run(command: click.Command, arguments: list[str] | None = None) -> NoReturn:
    """Run a command with the arguments of the process, or with others, and exit with its status.

    Click prints four lines for an error, including the usage; this prints one, which names the command that was typed.
    """
    fix()
    try:
        status = command.main(arguments, standalone_mode=False, **SHOWN)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        status = error.exit_code
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else command.name
        click.echo(f"{path}: {' '.join(error.format_message().split())} (see `{path} --help`)", err=True)
        status = error.exit_code
    except Refused as error:
        click.echo(f"{error.ctx.command_path}: {error.message}", err=True)
        status = error.exit_code
    except click.Abort:
        status = 130
    sys.exit(status)
