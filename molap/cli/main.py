"""`molap`: the commands by name; each is loaded when it is used, so that listing them is fast."""

from importlib import import_module

import click

from molap.jobs.command import run

COMMANDS = {
    "Tasks and planned jobs": {
        "tasks": ("molap.tasks.__main__:tasks", "List the tasks, or write trials of one to a file."),
        "plan": ("molap.planning.plan:main", "Print the settings of a stage, for `--settings` of its program."),
        "why": ("molap.planning.why:main", "Print the jobs that are due under what causes them."),
    },
    "Runs in MLflow": {
        "ui": ("molap.tracking.__main__:ui", "Open the runs in MLflow's UI, on this machine only."),
        "best": ("molap.tracking.__main__:best", "Print the runs with the best values of a metric."),
        "latest": ("molap.tracking.__main__:latest", "Print the last runs to start."),
        "diff": ("molap.tracking.__main__:diff", "Print what differs between two runs, and where the UI shows it."),
        "compare": (
            "molap.tracking.__main__:compare",
            "Print what differs between two presets: settings, and accuracy by strategy and task.",
        ),
        "sync": ("molap.tracking.__main__:sync", "Bring in every record that the store lacks."),
        "rebuild": (
            "molap.tracking.__main__:rebuild",
            "Delete what the store holds of this folder, and import every record again.",
        ),
    },
    "Results brought together": {
        "merge": (
            "molap.gathering.merge:main",
            "Add the results that another machine computed for other network seeds.",
        ),
        "seeds": ("molap.gathering.seeds:main", "Add the network seeds of a run to the reference results."),
        "switches": ("molap.gathering.switches:main", "Add an attribution to the reference results."),
    },
    "Pages of this repository": {
        "reference": (
            "molap.gathering.reference:main",
            "Write the pages about the reference results from their tables.",
        ),
        "document": ("molap.planning.document:main", "Write the reference pages that are made from the code."),
    },
}
"""By section and name: where a command is defined, and the first sentence of its help."""


class Listed(click.Group):
    """A group that can list and complete its commands without loading them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands))
        for section, commands in COMMANDS.items():
            with formatter.section(section):
                formatter.write_dl([(name.ljust(width), line) for name, (_, line) in commands.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command itself instead of its entry in the list."""
        name, entry, rest = super().resolve_command(ctx, args)
        return name, loaded(name) if name and entry else None, rest


def loaded(name: str) -> click.Command:
    """Import a command by name."""
    (place,) = (commands[name][0] for commands in COMMANDS.values() if name in commands)
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)


@click.group(
    cls=Listed,
    commands=[click.Command(name, help=line) for rows in COMMANDS.values() for name, (_, line) in rows.items()],
)
@click.version_option(package_name="molap")
def molap() -> None:
    """Look at tasks, plans and runs of MoLaP, and gather results. The workflow itself is run by `snakemake`.

    `molap COMMAND --help` tells a command's options, their defaults, and an example.
    """


def main() -> None:
    """Run the command line."""
    run(molap)
