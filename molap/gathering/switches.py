"""Gather finished attributions in `docs/reference`: tables, effects and the figure for all switches and network seeds.

    molap switches results/paper

Runs of `snakemake attribution` may have their own switches and seeds (`attribution.switches`,
`attribution.networks`, `seeds.first`). A switch that trains every network again is expensive, whereas one that only
scores networks differently is cheap and may have more of them. The claims are those of the current config/claims.yaml.
"""

import json
import tempfile
from pathlib import Path

import click
import pandas as pd

from molap.claims.attribution import attribution
from molap.claims.page import small
from molap.claims.reading import read_claims
from molap.config.attribution import SWITCHES, AttributionSettings
from molap.figures.attribution import draw_attribution
from molap.figures.style import save_figure
from molap.gathering.seeds import check_alike, joined, made_by, of_a_run, read, write
from molap.jobs import command
from molap.storage.files import FileDamaged, read_json
from molap.storage.paths import NO_SWITCH, switch_run

TABLES = ("performance", "robustness", "generalisation")


def gather(run: Path, to: Path) -> None:
    """Add the switched runs of a run to the tables in `to/switches`.

    Args:
        run: results/NAME.
        to: the folder of the gathered results.
    """
    switches = read_json(run / "configuration.json")["attribution"]["switches"]
    alike = check_alike(made_by(run)["alike"] | {"switches": switches}, to / "made_with.json")
    folder = to / "switches"
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:
        for switch in (NO_SWITCH, *switches):
            new = read(run.parent / switch_run(run.name, switch) / "tables", name)
            if new is not None:
                write(joined(read(folder, name), new.assign(switch=switch)), folder, name)
    (to / "made_with.json").write_text(json.dumps(alike, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def gathered(to: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the tables by switch and name, with the switches in the order in which they are listed."""
    runs: dict[str, dict[str, pd.DataFrame]] = {}
    for name in TABLES:
        table = read(to / "switches", name)
        if table is None:
            continue
        for switch in table.switch.unique():
            runs.setdefault(switch, {})[name] = table[table.switch == switch].drop(columns="switch")
    places = {switch: place for place, switch in enumerate((NO_SWITCH, *SWITCHES))}
    return dict(sorted(runs.items(), key=lambda item: places.get(item[0], len(places))))


def redraw(to: Path) -> None:
    """Recompute the effects and redraw the figure from the gathered tables."""
    claims = read_claims(None)
    followed = [claim for claim in claims.claims if claim.claim in AttributionSettings().claims]
    table = attribution(claims.model_copy(update={"claims": followed}), gathered(to), NO_SWITCH)
    write(table, to / "tables", "attribution")
    with tempfile.TemporaryDirectory() as work:
        files = {kind: str(Path(work) / f"fig_attribution.{kind}") for kind in ("png", "svg", "pdf")}
        save_figure(draw_attribution(table, NO_SWITCH), files, {}, {})
        (to / "figures").mkdir(exist_ok=True)
        (to / "figures" / "fig_attribution.png").write_bytes(small(Path(files["png"])))


@click.command("switches")
@of_a_run
@command.refusing(OSError, FileDamaged)
def main(run: Path, to: Path) -> None:
    """Add an attribution to the reference results.

    RUN is a folder `results/NAME` in which `snakemake attribution` has finished.

    \b
    Example:
      molap switches results/paper
    """
    if not (run.parent / switch_run(run.name, NO_SWITCH) / "tables").is_dir():
        raise command.Refused(f"{run} has no attribution; run `snakemake attribution` first")
    gather(run, to)
    redraw(to)


if __name__ == "__main__":
    command.run(main)
