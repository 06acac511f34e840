"""One reading at a time: what each switch computes anew, and how its effect is told."""

import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import yaml
from dry_runs import DryRuns
from scipy import stats

from molap.claims.attribution import attribution
from molap.claims.model import Claims
from molap.claims.reading import read_claims
from molap.config.attribution import SWITCHES
from molap.config.base import ConfigError, check
from molap.config.run import parse_config, read
from molap.figures.attribution import draw_attribution
from molap.figures.style import save_figure
from molap.plan import Plan

SCORED = {"evaluation", "perturbation", "performance", "robustness", "areas", "generalisation"}
OF_TASKS = {"testset", "separate", "head", "sequence"}
CHAIN = {"primitives", "module", "head"}
TRAINED = {
    "none": set(),
    "criterion": set(),
    "anti": set(),  # none of the three tasks; see below
    "alignment": {"corpus"} | CHAIN,
    "noise": {"corpus"} | CHAIN | OF_TASKS,
    "rescaling": {"corpus"} | CHAIN | OF_TASKS,
    "frozen_batch": {"module", "head", "separate", "sequence"},
    "adam": {"module", "head", "separate", "sequence"},
    "biases": {"reservoir", "module", "head", "separate", "sequence"},
    "module2_input": {"module", "head"},
    "pca": {"primitives", "module", "head"},
    "inter_module": set(),
    "silencing": set(),
    "dni_input": set(),  # another kind of network, which the run itself may have as well: it is trained there
    "dni_order": {"sequence"},
    "left_out": set(),
    "equal_size": {"sequence"},
}
"""Stages that a switch trains or draws anew; all else is shared with the run itself."""


@pytest.fixture(scope="module")
def planned(finished, tmp_path_factory):
    """Planned jobs by switch and rule, beside the finished run."""
    scratch = finished.copy(tmp_path_factory.mktemp("attribution") / "copy")
    values = yaml.safe_load((scratch.folder / "tiny.yaml").read_text())
    (scratch.folder / "tiny.yaml").write_text(yaml.safe_dump(values | {"attribution": {"networks": 2}}))
    with DryRuns() as runs:
        text = runs(scratch.folder, "--dry-run", "--printshellcmds", "attribution", "--configfile", "tiny.yaml")
    pattern = r"-m molap\.stages\.(\w+) .*--output \w+=results/tiny/switch/(\w+)/"
    return Counter((switch, stage) for stage, switch in re.findall(pattern, text))


def test_every_switch_has_its_expectation():
    assert TRAINED.keys() == {"none", *SWITCHES}


@pytest.mark.parametrize("switch", TRAINED)
def test_a_switch_computes_what_it_touches_and_shares_the_rest(planned, switch):
    stages = {stage for (name, stage) in planned if name == switch}
    assert stages - SCORED == TRAINED[switch]
    assert stages >= {"performance", "robustness", "areas", "generalisation"}


def test_a_switch_that_touches_a_source_leaves_the_others_alone(planned):
    # Heads of three tasks for each source, and of CCA for the task that is left out of the corpus.
    assert planned["pca", "head"] == 3 and planned["module2_input", "head"] == 2 * 3 + 1
    assert planned["frozen_batch", "head"] == 3 * 3 + 1


def test_the_anti_tasks_alone_are_learned_anew_where_nothing_is_pre_trained():
    plan = Plan(parse_config({}))
    own, shared = "results/paper/switch/anti/", "results/paper/"
    for task, place in (("mem_anti", own), ("mem_pro", shared)):
        at = {"block": "s0", "task": task}
        assert plan.path("separate", "paper/switch/anti", **at).startswith(f"{place}networks/")
        assert plan.path("head", "paper/switch/anti", **at, source="none", module=2).startswith(f"{place}networks/")
        assert plan.path("head", "paper/switch/anti", **at, source="cca", module=2).startswith(f"{own}networks/")
    without = "paper/switch/anti/without/mem_pro"
    assert plan.path("corpus", without).startswith("results/paper/switch/anti/without/")
    assert plan.path("corpus", "paper/switch/noise/without/mem_pro") != plan.path("corpus", without)
    assert (
        plan.path("corpus", "paper/switch/criterion/without/mem_pro")
        == "results/paper/without/mem_pro/corpus/corpus.npz"
    )


def test_each_switch_changes_the_keys_that_it_names_and_those_alone():
    c = parse_config({})
    runs = Plan(c).runs
    base = runs["paper/switch/none"].model_dump(mode="json")
    for switch, changes in SWITCHES.items():
        values = runs[f"paper/switch/{switch}"].model_dump(mode="json")
        differ = {(s, k) for s in base if isinstance(base[s], dict) for k in base[s] if base[s][k] != values[s][k]}
        assert differ == {(section, key) for section, keys in changes.items() for key in keys}


def test_switches_are_the_released_preset_s():
    released = read("config/released.yaml").model_dump(mode="json")
    for switch, changes in SWITCHES.items():
        for section, keys in changes.items():
            for key, value in keys.items():
                if switch not in ("alignment", "dni_input", "equal_size"):
                    assert released[section][key] == value, (switch, key)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"switches": {"x": {"tasks": {"ant": "released"}}}}, "unknown key"),
        ({"switches": {"x": {"tasks": {"anti": "sometimes"}}}}, "'sometimes' is not allowed"),
        ({"switches": {"a/b": {}}}, "'a/b' is not allowed; use letters"),
        ({"claims": [77]}, "attribution.claims: there is no claim 77; claims are 1, 2"),
    ],
)
def test_a_switch_or_claim_that_cannot_be_is_refused(section, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        Plan(parse_config({"attribution": section}))


def tables(shift, n_seeds=6):
    """MoLaP and no pre-training, the first better by `shift`."""
    rng = np.random.default_rng(int(shift * 10) + 50)
    rows = []
    for source, mean in (("cca", 80 + shift), ("none", 80)):
        for seed in range(n_seeds):
            rows.append({"strategy": "molap", "source": source, "label": "T1", "network_seed": seed})
            rows[-1]["accuracy"] = mean + rng.normal()
    return {"performance": pd.DataFrame(rows)}


def claims():
    test = {"table": "performance", "effects": {"less none": "molap - none"}, "above": 0}
    claim = {"claim": 3, "place": "", "says": "", "figures": [], "tests": [test]}
    return check(Claims, {"series": read_claims(None).series, "claims": [claim]})


def test_the_change_is_paired_with_nothing_switched():
    runs = {"none": tables(5.0), "noise": tables(-5.0)}
    found = attribution(claims(), runs, "none").set_index("switch")
    effects = {}
    for switch, run in runs.items():
        by_seed = run["performance"].pivot_table(index="network_seed", columns="source", values="accuracy")
        effects[switch] = by_seed.cca - by_seed.none
    expected = stats.ttest_1samp(effects["noise"] - effects["none"], 0).confidence_interval(0.95)
    row = found.loc["noise"]
    np.testing.assert_allclose([row.change_low, row.change_high], [expected.low, expected.high])
    assert found.change["none"] == 0 and list(found.verdict) == ["holds", "does not hold"]


def test_a_run_without_a_series_is_told_and_the_others_stand():
    lacking = {"performance": tables(0.0)["performance"].query("source == 'cca'")}
    found = attribution(claims(), {"none": tables(5.0), "pca": lacking}, "none").set_index("switch")
    assert found.verdict["pca"] == "not run" and found.verdict["none"] == "holds"


def test_the_figure_has_a_panel_for_every_part(tmp_path):
    table = attribution(claims(), {"none": tables(5.0), "noise": tables(-5.0)}, "none")
    figure = draw_attribution(table, "none")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title("left") for axis in shown] == ["claim 3: less none"]
    assert [label.get_text() for label in shown[0].get_yticklabels()] == ["none", "noise"]
    save_figure(figure, str(tmp_path / "f.png"), {}, {"": table})
    assert (tmp_path / "f.pdf").exists()
