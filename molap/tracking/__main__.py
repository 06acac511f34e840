"""`molap ui`, `best`, `sync` and so on: track a results folder in MLflow, and query the store.

Each command loads slow modules only when it needs them.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from molap.config.base import ConfigError
from molap.config.run import read
from molap.config.tracking import TrackingSettings
from molap.jobs.command import Refused, Whole, refusing, run
from molap.storage.paths import RESULTS
from molap.tracking import server
from molap.tracking.scan import Busy
from molap.tracking.where import Place, compare_links, link, place, why_unusable

if TYPE_CHECKING:
    from molap.tracking.importer import Importer, Outcome

WIDEST = 60
"""Characters of a column that are printed."""
UI = f"http://{server.HOST}:5000"
"""Address of MLflow's UI by default."""

TAGS = {
    "preset": "whose configuration has this name",
    "run": "below this folder of the results",
    "stage": "of this stage, such as head",
    "strategy": "of this strategy, such as molap",
    "source": "of this source, such as cca",
    "task": "of this task, such as mem_pro",
    "grid": "of this grid of the search",
    "switch": "with this reading switched",
    "left_out": "with these tasks left out of the corpus (mem_pro, or mem_pro+mem_dm1)",
}
"""Tags by which `best` and `latest` can select runs."""


def of_a_store(function: Callable) -> Callable:
    """Add to a command the options that name the store."""
    results = click.Path(file_okay=False, path_type=Path)
    for option in (
        click.option("--results", type=results, default=Path(RESULTS), metavar="DIR", help="Folder of the runs."),
        click.option("--config", metavar="FILE", help="Configuration that names the store, if it is not the default."),
    ):
        function = option(function)
    return function


def of_some_runs(function: Callable) -> Callable:
    """Add to a command the options that choose runs."""
    for tag, which in reversed(TAGS.items()):
        names = (f"--{tag.replace('_', '-')}", tag)
        function = click.option(*names, metavar="NAME", help=f"Only runs {which}.")(function)
    number = Whole(min=1)
    return click.option("--number", "-n", type=number, default=10, help="How many runs to print.")(function)


@click.group("tracking")
@of_a_store
@click.pass_context
def tracking(context: click.Context, config: str | None, results: Path) -> None:
    """Track a results folder in MLflow, and ask the store."""
    # Options before the name of a command mean the same as after it.
    context.default_map = {name: {"config": config, "results": results} for name in tracking.commands}


@tracking.command("sync")
@of_a_store
@refusing(ConfigError, Busy, LookupError, OSError)
def sync(config: str | None, results: Path) -> None:
    """Bring in every record that the store lacks."""
    if not results.is_dir():
        raise Refused(f"--results: there is no folder {results}")
    from molap.tracking import importer

    _report(*importer.sync(_settings(config), results))


@tracking.command("rebuild")
@of_a_store
@refusing(ConfigError, Busy, LookupError, OSError)
def rebuild(config: str | None, results: Path) -> None:
    """Delete what the store holds of this folder, and import every record again.

    Notes that you wrote in the UI are lost.
    """
    if not results.is_dir():
        raise Refused(f"--results: there is no folder {results}")
    from molap.tracking import importer

    _report(*importer.rebuild(_settings(config), results))


@tracking.command("ui")
@of_a_store
@click.option("--port", type=Whole(1, 65535), default=5000, help="Port to listen on.")
@refusing(ConfigError, LookupError, OSError)
def ui(config: str | None, results: Path, port: int) -> None:
    """Open the runs in MLflow's UI, on this machine only.

    The server ends with this command: Ctrl-C.
    """
    from molap.tracking.importer import Importer

    where = place(_settings(config), results)
    if not where.database:
        raise Refused(f"runs are tracked at {where.uri}; open it in a browser")
    if not where.database.exists():
        raise Refused(f"there is no {where.database}; run the workflow, or `molap sync`")
    if reason := why_unusable(where):
        raise Refused(reason)
    if reason := server.why_not_free(port):
        raise Refused(f"--port: {port} is not free ({reason}); give another port, or stop the program that uses it")
    experiment = Importer(where, results).experiment_id or "1"
    _say(f"open {link(f'http://{server.HOST}:{port}', experiment)}")
    sys.exit(server.serve(where.uri, port))


@tracking.command("best")
@of_a_store
@of_some_runs
@click.option("--metric", default="test/accuracy", help="Metric to rank by, the best first.")
@click.option(
    "--first", type=click.Choice(["highest", "lowest"]), help="What is best, if not what the metric's definition says."
)
@refusing(ConfigError, LookupError, OSError)
def best(config: str | None, results: Path, number: int, metric: str, first: str | None, **tags: str | None) -> None:
    """Print the runs with the best values of a metric.

    \b
    Example:
      molap best --task mem_pro --metric test/decision_accuracy
    """
    from molap.tracking import query

    _show(query.best(_place(config, results), metric, number, first, **_given(tags)))


@tracking.command("latest")
@of_a_store
@of_some_runs
@refusing(ConfigError, LookupError, OSError)
def latest(config: str | None, results: Path, number: int, **tags: str | None) -> None:
    """Print the last runs to start.

    \b
    Example:
      molap latest --stage head -n 3
    """
    from molap.tracking import query

    _show(query.latest(_place(config, results), number, **_given(tags)))


@tracking.command("diff")
@of_a_store
@click.argument("first", metavar="RUN")
@click.argument("second", metavar="RUN")
@refusing(ConfigError, LookupError, OSError)
def diff(config: str | None, results: Path, first: str, second: str) -> None:
    """Print what differs between two runs, and where the UI shows it.

    RUN is a run's id, its job, or its name in MLflow.

    \b
    Example:
      molap diff JOB_A JOB_B
    """
    from molap.tracking import query

    where = _place(config, results)
    table, experiment, run_ids = query.difference(where, first, second)
    _show(query.from_where_they_differ(table, WIDEST))
    print(*compare_links(UI if where.database else where.uri, experiment, run_ids), sep="\n")


@tracking.command("compare")
@of_a_store
@click.argument("first", metavar="PRESET")
@click.argument("second", metavar="PRESET")
@refusing(ConfigError, LookupError, OSError)
def compare(config: str | None, results: Path, first: str, second: str) -> None:
    """Print what differs between two presets: settings, and accuracy by strategy and task.

    \b
    Example:
      molap compare paper released
    """
    from molap.tracking import query

    settings, performance = query.compare(_place(config, results), first, second)
    _show(settings)
    print()
    _show(performance)


@tracking.command("watch")
@of_a_store
@click.option("--parent", type=int, required=True, help="Process id of the workflow.")
@click.option("--settings", required=True, metavar="JSON", help="Settings of the tracking.")
@refusing(ConfigError, LookupError, OSError)
def watch(config: str | None, results: Path, parent: int, settings: str) -> None:
    """Import beside a running workflow, whose Snakefile starts this."""
    from molap.tracking import importer

    os.nice(10)
    try:
        watcher = importer.watch(TrackingSettings.model_validate_json(settings), results, parent, _say)
        if watcher.experiment_id:
            _say(f"tracking: look at the runs with {where_to_look(watcher)}")
    except Busy as error:
        _say(f"tracking: {error}, and brings in these runs as well")


def where_to_look(importer: "Importer") -> str:
    """Return how to open the saved view."""
    experiment = cast(str, importer.experiment_id)  # it has been opened
    if not importer.where.database:
        return link(importer.where.uri, experiment)
    return f"molap ui, then {link(UI, experiment)}"


def _given(tags: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in tags.items() if value is not None}


def _settings(config: str | None) -> TrackingSettings:
    return read(config).tracking if config else TrackingSettings()


def _place(config: str | None, results: Path) -> Place:
    return place(_settings(config), results)


def _report(importer: "Importer", outcome: "Outcome") -> None:
    if outcome.problem:
        raise Refused(f"{outcome.left} jobs left out: {outcome.problem}" if outcome.left else outcome.problem)
    but = ""
    if importer.n_deleted:
        but = f" but {importer.n_deleted} runs that were deleted there (the UI restores them: State, Deleted)"
    print(f"{outcome.imported} jobs brought in; the store at {importer.where.uri} holds all records{but}")
    print(where_to_look(importer))


def _show(table) -> None:
    print(table.to_string(index=False, max_colwidth=WIDEST, float_format="{:.4g}".format))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    run(tracking)
