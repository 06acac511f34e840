"""Switched runs of different seeds, gathered by molap/gathering/switches.py, say what one run of all seeds says."""

import json

import numpy as np
import pandas as pd
import pytest

from molap.claims.attribution import attribution
from molap.claims.reading import read_claims
from molap.config.attribution import SWITCHES
from molap.gathering import switches as gathering

CHOICES = {"dni": {"kinds": []}, "perturbations": {"kinds": []}, "generalisation": {"sources": []}}
LABELS = [f"T{place}" for place in range(1, 10)]


def performance(switch, seeds):
    """MoLaP and no pre-training on nine tasks."""
    rows = [
        {"strategy": "molap", "source": source, "label": label, "network_seed": seed}
        for seed in seeds
        for source in ("cca", "pca", "none")
        for label in LABELS
    ]
    table = pd.DataFrame(rows)
    rng = [np.random.default_rng([*map(ord, switch), seed]) for seed in seeds]
    table["accuracy"] = np.concatenate([one.uniform(60, 100, 27).round(3) for one in rng])
    return table.assign(decision_accuracy=table.accuracy)


@pytest.fixture
def run(tmp_path):
    """Makes a run of a seed in which some readings were switched."""

    def make(name, seed, switches):
        folder = tmp_path / name / "results" / "paper"
        for switch in ("none", *switches):
            tables = folder / "switch" / switch / "tables"
            tables.mkdir(parents=True)
            performance(switch, [seed]).to_csv(tables / "performance.csv", index=False)
        values = {"seeds": {"data": 0}, "attribution": {"switches": switches}, **CHOICES}
        (folder / "configuration.json").write_text(json.dumps(values))
        return folder

    return make


def test_switches_and_seeds_that_are_gathered_give_the_effects_of_one_run_of_all(run, tmp_path):
    chosen = {name: SWITCHES[name] for name in ("criterion", "anti")}
    first, second = run("a", 1, chosen), run("b", 0, {"criterion": SWITCHES["criterion"]})
    to = tmp_path / "reference"
    for folder in (first, second, first):  # again: a seed takes its own place
        gathering.gather(folder, to)
    gathering.redraw(to)
    found = pd.read_csv(to / "tables" / "attribution.csv", keep_default_na=False, na_values=[""])
    claims = read_claims(None)
    claims = claims.model_copy(update={"claims": [claims.claims[0], claims.claims[2]]})
    seeds = {"none": [0, 1], "criterion": [0, 1], "anti": [1]}
    runs = {switch: {"performance": performance(switch, seeds[switch])} for switch in seeds}
    expected = attribution(claims, runs, "none")
    found = found[found.claim.isin([1, 3])].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    of = found.set_index(["part", "switch"]).loc["MoLaP less PCA"]
    assert {*of.n_seeds} == {2, 1} and of.verdict["anti"] == "one network: descriptive only"
    changed, base = (difference(performance(switch, [1])) for switch in ("anti", "none"))
    assert of.change["anti"] == pytest.approx(changed - base, rel=1e-6) and abs(changed - base) > 0.1
    assert (to / "figures" / "fig_attribution.png").stat().st_size > 10_000


def difference(table):
    means = table.groupby("source").accuracy.mean()
    return means.cca - means.pca


def test_a_switch_that_means_something_else_is_refused_and_nothing_is_changed(run, tmp_path):
    to = tmp_path / "reference"
    gathering.gather(run("a", 0, {"anti": SWITCHES["anti"]}), to)
    before = {file: file.read_bytes() for file in to.rglob("*.*")}
    with pytest.raises(SystemExit, match=r"switches anti is .*; nothing was changed"):
        gathering.gather(run("b", 1, {"anti": {"tasks": {"anti": "text"}}}), to)
    assert {file: file.read_bytes() for file in to.rglob("*.*")} == before
