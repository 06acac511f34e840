"""Run a command that a person types: with uniform help, and with refusals in one line."""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from molap.jobs.failure import file_of_traceback
from molap.jobs.surroundings import fix, unusable_device

SHOWN: dict[str, Any] = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}
"""Options that give the help of all commands the same form."""


class Whole(click.IntRange):
    """A whole number between limits, which help and error messages call an integer."""

    name = "integer"


class Refused(click.ClickException):
    """Raised when a command does not do what was asked; the message says why."""

    def __init__(self, message: str, lines: bool = False) -> None:
        """Take the message; it becomes one line unless it has `lines`, as many as fields of a configuration."""
        super().__init__(message if lines else " ".join(message.split()))
        self.ctx = click.get_current_context()


@contextmanager
def refusing(*kinds: type[Exception]) -> Iterator[None]:
    """Print errors of these kinds in one line, without a traceback; use it to decorate a command's function."""
    try:
        yield
    except BrokenPipeError:  # who read the output has ended, as `head` does
        raise
    except kinds as error:
        raise Refused(_line(error), lines=type(error).__name__ == "ConfigError") from None


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error.args[0] if isinstance(error, KeyError) and error.args else error)  # its str() quotes the message


def run(command: click.Command, arguments: list[str] | None = None) -> NoReturn:
    """Run a command with the arguments of the process, or with others, and exit with its status.

    Click prints four lines for an error, including the usage; this prints one, which names the command that was typed.
    """
    fix()
    write_whatever_the_terminal()
    try:
        status = command.main(arguments, standalone_mode=False, **SHOWN)
        if sys.stdout:
            sys.stdout.flush()
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
    except BrokenPipeError:
        _discard_output()
        status = 141  # as a program that the signal SIGPIPE ends
    except (Exception, SystemExit) as error:
        status = _unexpected(command, arguments, error)
    sys.exit(status)


def write_whatever_the_terminal() -> None:
    """Write characters that the terminal's encoding lacks as `\\u…`, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):  # closed, or replaced by a test
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def _discard_output() -> None:
    """Let Python's own flush at its end succeed."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(command: click.Command, arguments: list[str] | None, error: BaseException) -> int:
    """Print one line about an error that no command expects, write its traceback to a file, and return the status."""
    if isinstance(error, SystemExit) and (isinstance(error.code, int) or error.code is None):
        return error.code or 0
    name = _name(command, sys.argv[1:] if arguments is None else arguments)
    line = " ".join(_line(error).split())
    if reason := unusable_device():
        click.echo(f"{name}: {reason}", err=True)
    elif isinstance(error, OSError):
        _discard_output()  # what is left in the buffer cannot be written either
        click.echo(f"{name}: {line}", err=True)
    elif isinstance(error, SystemExit):
        click.echo(f"{name}: {line}", err=True)
    else:
        log = file_of_traceback(error)
        place = f" (unexpected; the traceback is in {log})" if log else ""
        click.echo(f"{name}: {type(error).__name__}: {line}{place}", err=True)
    return 1


def _name(command: click.Command, words: list[str]) -> str:
    """Return the name of the command that was typed."""
    found = command.name or ""
    for word in words:
        if not isinstance(command, click.Group) or word not in command.commands:
            break
        command, found = command.commands[word], f"{found} {word}"
    return found
