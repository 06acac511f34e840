"""Track a results folder in MLflow and ask the store: `python -m molap.tracking --help`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from molap.config.base import ConfigError
from molap.config.run import read
from molap.config.tracking import TrackingSettings
from molap.storage.paths import RESULTS
from molap.tracking.importer import Importer, Outcome, rebuild, sync, watch
from molap.tracking.scan import Busy
from molap.tracking.where import compare_links, link, place

LEAN = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
"""Two processes instead of fifteen."""

UI = "http://127.0.0.1:5000"
"""Where MLflow's UI stands unless told otherwise."""

TAGS = ("preset", "run", "stage", "strategy", "source", "task", "grid", "switch", "left_out")
"""What `best` and `latest` can be asked for."""


def main(argv: list[str] | None = None) -> None:
    """Run a command."""
    arguments = _parser().parse_args(argv)
    try:
        arguments.command(arguments)
    except (ConfigError, Busy, LookupError) as error:
        sys.exit(f"molap.tracking: {error.args[0]}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m molap.tracking", description=__doc__)
    parser.add_argument(
        "--config", metavar="FILE", help="configuration that names the store (default: the preset paper)"
    )
    parser.add_argument("--results", default=RESULTS, type=Path, metavar="DIR", help="default: results")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run, explain: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=explain, description=explain)
        added.set_defaults(command=run)
        return added

    command("sync", _sync, "bring in every record that the store lacks")
    command("rebuild", _rebuild, "throw away what the store holds of this folder, and import every record anew")
    ui = command("ui", _ui, "open the embedded database in MLflow's UI, on this machine only")
    ui.add_argument("--port", type=int, default=5000)
    for name, run, explain in (
        ("best", _best, "the runs with the best values of a metric"),
        ("latest", _latest, "the last runs to start"),
    ):
        asking = command(name, run, explain)
        asking.add_argument("--number", "-n", type=int, default=10)
        for tag in TAGS:
            asking.add_argument(f"--{tag}", metavar="NAME", help=f"only runs of this {tag}")
        if name == "best":
            asking.add_argument("--metric", default="test/accuracy")
    asking = command("diff", _diff, "what differs between two runs")
    asking.add_argument("runs", nargs=2, metavar="RUN", help="its id, its job, or its name in MLflow")
    asking = command(
        "compare", _compare, "what differs between two presets: settings, and accuracy by strategy and task"
    )
    asking.add_argument("presets", nargs=2, metavar="PRESET")
    watching = command("watch", _watch, "import beside a running workflow (started by the Snakefile)")
    watching.add_argument("--parent", type=int, required=True, help="process id of the workflow")
    watching.add_argument("--settings", required=True, metavar="JSON")
    return parser


def _settings(arguments: argparse.Namespace) -> TrackingSettings:
    return read(arguments.config).tracking if arguments.config else TrackingSettings()


def _sync(arguments: argparse.Namespace) -> None:
    _report(*sync(_settings(arguments), arguments.results))


def _rebuild(arguments: argparse.Namespace) -> None:
    _report(*rebuild(_settings(arguments), arguments.results))


def _watch(arguments: argparse.Namespace) -> None:
    os.nice(10)
    settings = TrackingSettings.model_validate_json(arguments.settings)
    try:
        importer = watch(settings, arguments.results, arguments.parent, _say)
        if importer.experiment_id:
            _say(f"tracking: look at the runs with {where_to_look(importer)}")
    except Busy as error:
        _say(f"tracking: {error}, and brings in these runs as well")


def _report(importer: Importer, outcome: Outcome) -> None:
    if outcome.problem:
        sys.exit(f"molap.tracking: {outcome.left} jobs left out: {outcome.problem}")
    print(f"{outcome.imported} jobs brought in; the store at {importer.where.uri} holds all records")
    print(where_to_look(importer))


def where_to_look(importer: Importer) -> str:
    """How to open the saved view."""
    if not importer.where.database:
        return link(importer.where.uri, importer.experiment_id)
    return f"python -m molap.tracking ui, then {link(UI, importer.experiment_id)}"


def _ui(arguments: argparse.Namespace) -> None:
    where = place(_settings(arguments), arguments.results)
    if not where.database:
        sys.exit(f"molap.tracking: runs are tracked at {where.uri}; open it in a browser")
    if not where.database.exists():
        sys.exit(f"molap.tracking: there is no {where.database}; run the workflow, or `python -m molap.tracking sync`")
    experiment = Importer(where, arguments.results).experiment_id or "1"
    _say(f"open {link(f'http://127.0.0.1:{arguments.port}', experiment)}")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", where.uri, "--host", "127.0.0.1"]
    command += ["--port", str(arguments.port), "--workers", "1"]
    sys.exit(subprocess.call(command, env=os.environ | LEAN))


def _best(arguments: argparse.Namespace) -> None:
    from molap.tracking.query import best

    _show(best(_place(arguments), arguments.metric, arguments.number, **_tags(arguments)))


def _latest(arguments: argparse.Namespace) -> None:
    from molap.tracking.query import latest

    _show(latest(_place(arguments), arguments.number, **_tags(arguments)))


def _diff(arguments: argparse.Namespace) -> None:
    from molap.tracking.query import difference

    where = _place(arguments)
    table, experiment, run_ids = difference(where, *arguments.runs)
    _show(table)
    base = UI if where.database else where.uri
    print(*compare_links(base, experiment, run_ids), sep="\n")


def _compare(arguments: argparse.Namespace) -> None:
    from molap.tracking.query import compare

    settings, performance = compare(_place(arguments), *arguments.presets)
    _show(settings)
    print()
    _show(performance)


def _place(arguments: argparse.Namespace):
    return place(_settings(arguments), arguments.results)


def _tags(arguments: argparse.Namespace) -> dict[str, str]:
    return {tag: getattr(arguments, tag) for tag in TAGS}


def _show(table) -> None:
    print(table.to_string(index=False, max_colwidth=60, float_format="{:.4g}".format))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
