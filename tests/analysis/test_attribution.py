"""One reading at a time: what each switch computes again, and how its effect is reported."""

import itertools
import json
import math
import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from drawn import figure_files
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
from molap.planning.inputs import Inputs
from molap.planning.plan import Plan

TABLES = {"performance", "robustness", "generalisation"}
SCORED = {"evaluation", "perturbation"}
OF_TASKS = {"testset", "separate", "head", "sequence"}
CHAIN = {"primitives", "module", "head"}
CHANGED = {
    "none": set(),
    "criterion": SCORED,
    "anti": set(),  # none of the three tasks; see below
    "alignment": {"corpus"} | CHAIN | SCORED,
    "noise": {"corpus"} | CHAIN | OF_TASKS | SCORED,
    "rescaling": {"corpus"} | CHAIN | OF_TASKS | SCORED,
    "frozen_batch": {"module", "head", "separate", "sequence"} | SCORED,
    "adam": {"module", "head", "separate", "sequence"} | SCORED,
    "biases": {"reservoir", "module", "head", "separate", "sequence"} | SCORED,
    "module2_input": {"module", "head"} | SCORED,
    "pca": {"primitives", "module", "head"} | SCORED,
    "inter_module": {"perturbation"},
    "silencing": {"perturbation"},
    "dni_input": SCORED,  # another kind of network, which the run itself may have as well: it is trained there
    "dni_order": {"sequence"} | SCORED,
    "dni_rate": {"sequence"} | SCORED,
    "left_out": set(),
    "equal_size": {"sequence"} | SCORED,
    "readout": {"reservoir", "module", "head", "separate", "sequence"} | SCORED,
    "recurrent_rate": {"module", "head", "separate", "sequence"} | SCORED,
    "steps": {"head", "separate", "sequence"} | SCORED,
    "protocol": {"reservoir", "module", "head", "separate", "sequence"} | SCORED,
}
"""Stages that a switch computes again; all else is shared with the run itself."""


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
    assert CHANGED.keys() == {"none", *SWITCHES}


@pytest.mark.exhaustive
@pytest.mark.parametrize("switch", CHANGED)
def test_a_switch_computes_what_it_touches_and_shares_the_rest(planned, switch):
    stages = {stage for (name, stage) in planned if name == switch}
    assert stages == CHANGED[switch] | TABLES


def test_a_switch_that_touches_a_source_leaves_the_others_alone(planned):
    # Heads of three tasks for each source, and of CCA for the task that is left out of the corpus.
    assert planned["pca", "head"] == 3 and planned["module2_input", "head"] == 2 * 3 + 1
    assert planned["frozen_batch", "head"] == 3 * 3 + 1
    assert planned["pca", "evaluation"] == 3 and planned["pca", "perturbation"] == 1
    assert planned["criterion", "evaluation"] == 3 * 5 + 1


def test_the_anti_tasks_alone_are_learned_again_where_nothing_is_pre_trained():
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
        named = {(section, key) for section, keys in changes.items() for key in keys}
        # The former protocol states its own steps, whatever the preset's are.
        assert named - differ <= ({("dni", "n_steps")} if switch == "protocol" else set()) and differ <= named


def test_switches_are_the_released_preset_s():
    released = read("config/released.yaml").model_dump(mode="json")
    for switch, changes in SWITCHES.items():
        for section, keys in changes.items():
            for key, value in keys.items():
                if switch not in ("alignment", "dni_input", "equal_size", "steps", "protocol"):
                    assert released[section][key] == value, (switch, key)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"switches": {"x": {"tasks": {"ant": "released"}}}}, "attribution.switches.x.tasks.ant: unknown key"),
        ({"switches": {"x": {"tasks": {"anti": "sometimes"}}}}, "switches.x.tasks.anti: 'sometimes' is not allowed"),
        ({"switches": {"x": {"heads": {"n_steps": 0}}}}, "attribution.switches.x.heads.n_steps: 0 is not allowed"),
        ({"switches": {"x": {"headz": {}}}}, "attribution.switches.x.headz: unknown section; allowed are tasks,"),
        ({"switches": {"x": {"name": {}}}}, "attribution.switches.x.name: unknown section"),
        ({"switches": {"a/b": {}}}, "'a/b' is not allowed as a name; use letters"),
        ({"switches": {"none": {}}}, "'none' is not allowed as a name; tables or YAML read it"),
        ({"switches": {"all": {}}}, "'all' is not allowed as a name; it has another meaning"),
        ({"switches": {"1": {}}}, "'1' is not allowed as a name; tables or YAML read it as a number"),
        ({"claims": [77]}, "attribution.claims: there is no claim 77; claims are 1, 2"),
        (
            {"claims": [3, 6]},
            "attribution.claims: 6 is not allowed; it reads table1, and with a reading switched there",
        ),
    ],
)
def test_a_switch_or_claim_that_cannot_be_is_refused(section, words):
    with pytest.raises(ConfigError, match=re.escape(words)):
        Plan(parse_config({"attribution": section}))


@pytest.mark.parametrize(
    ("networks", "per_job", "asked", "found"), [(5, 5, 1, 5), (10, 5, 6, 10), (3, 5, 2, 3), (4, 1, 2, 2)]
)
def test_seeds_are_those_of_whole_jobs_so_that_they_are_shared(networks, per_job, asked, found):
    plan = Plan(parse_config({"seeds": {"networks": networks, "per_job": per_job}, "attribution": {"networks": asked}}))
    own, whole = ({name.split("/")[2] for name in evaluations(plan, run)} for run in ("paper/switch/none", "paper"))
    assert len(own) == math.ceil(found / per_job)
    assert own <= whole


def evaluations(plan, run):
    """What the table of performance of a run reads."""
    return Inputs(plan).evaluations(SimpleNamespace(run=run))


def test_tables_read_what_they_share_where_it_is_scored():
    plan = Plan(parse_config({}))
    inputs = Inputs(plan)

    def runs(of, switch):
        read = getattr(inputs, of)(SimpleNamespace(run=f"paper/switch/{switch}"))
        folders = ("/evaluation/", "/perturbations/")
        return {name: next(file.partition(f)[0] for f in folders if f in file) for name, file in read.items()}

    assert set(runs("evaluations", "criterion").values()) == {"results/paper/switch/criterion"}
    found = runs("evaluations", "pca")
    assert found["molap-cca/mem_pro/s0"] == "results/paper"
    assert found["molap-pca/mem_pro/s0"] == "results/paper/switch/pca"
    assert set(runs("sweeps", "silencing").values()) == {"results/paper/switch/silencing"}
    assert runs("sweeps", "dni_order")["separate/multi_mem/s0"] == "results/paper"
    found = runs("left_out_evaluations", "none")
    assert found["mem_pro/molap-cca/mem_pro/s0"] == "results/paper/without/mem_pro"


OWN_CLAIM = """
series: {molap: source == 'cca', none: source == 'none'}
claims:
  - claim: 1
    place: here
    says: Errors differ.
    figures: []
    tests:
      - {table: performance, value: mse, effects: {whole: molap - none}, above: 0}
      - {table: generalisation, where: n_left_out == 1, value: mse, effects: {left out: molap}, above: 0}
"""


@pytest.mark.exhaustive
def test_effects_are_those_of_the_run_in_which_the_reading_was_switched(changed):
    (changed.folder / "own.yaml").write_text(OWN_CLAIM)
    switches = {"fewer": {"evaluation": {"n_trials": 25}}}
    changed.set(claims={"file": "own.yaml"}, attribution={"switches": switches, "claims": [1], "networks": 2})
    result = changed.run("attribution")
    assert result.returncode == 0, result.stdout + result.stderr
    run = changed.folder / "results/tiny"
    table = pd.read_csv(run / "attribution/attribution.csv").set_index(["part", "switch"])

    def mse(folder, kind, tasks):
        files = [folder / f"evaluation/s0-1/{kind}/{task}.json" for task in tasks]
        rows = [row for file in files for row in json.loads(file.read_text())]
        return pd.DataFrame(rows).groupby("network_seed").mse.mean()

    tasks = ["delay_pro", "mem_dm1", "context_mem_dm1"]
    for switch, folder in (("none", run), ("fewer", run / "switch/fewer")):
        expected = mse(folder, "molap-cca", tasks) - mse(folder, "molap-none", tasks)
        # A small difference of two errors that are written to nine digits.
        assert table.loc[("whole", switch), "mean"] == pytest.approx(expected.mean(), rel=1e-6, abs=1e-9)
        left_out = mse(folder / "without/delay_pro", "molap-cca", ["delay_pro"])
        assert table.loc[("left out", switch), "mean"] == pytest.approx(left_out.mean(), rel=1e-6)
    assert (table.change.xs("fewer", level="switch") != 0).all() and (
        table.change.xs("none", level="switch") == 0
    ).all()
    assert not (run / "switch/none/evaluation").exists() and not (run / "switch/fewer/networks").exists()


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


def test_dni_with_another_input_is_compared_where_dni_is_meant():
    assert list(evaluations(Plan(parse_config({})), "paper/switch/dni_input"))[-1].startswith("dni-norule/")
    runs = {}
    for switch, sources in (("none", ["rule"]), ("dni_input", ["norule"]), ("both", ["rule", "norule"])):
        rows = tables(0.0)["performance"].query("source == 'none'")
        worse = [
            rows.assign(strategy="dni", source=source, accuracy=70.0 if source == "rule" else 60.0 + rows.network_seed)
            for source in sources
        ]
        runs[switch] = {"performance": pd.concat([rows, *worse])}
    test = {"table": "performance", "effects": {"DNI": "dni"}, "above": 0}
    followed = check(
        Claims,
        {
            "series": read_claims(None).series,
            "claims": [{"claim": 10, "place": "", "says": "", "figures": [], "tests": [test]}],
        },
    )
    found = attribution(followed, runs, "none").set_index("switch")
    assert found["mean"].to_dict() == {"none": 70, "dni_input": 62.5, "both": 70}
    assert found.change["dni_input"] == -7.5


def test_the_figure_has_a_panel_for_every_part(tmp_path):
    table = attribution(claims(), {"none": tables(5.0), "noise": tables(-5.0)}, "none")
    figure = draw_attribution(table, "none")
    shown = [axis for axis in figure.axes if axis.get_visible()]
    assert [axis.get_title("left") for axis in shown] == ["claim 3: less none"]
    assert [label.get_text() for label in shown[0].get_yticklabels()] == ["none", "noise"]
    save_figure(figure, figure_files(tmp_path, "f"), {}, table)
    assert (tmp_path / "f.pdf").exists()


def test_long_names_of_parts_are_not_cut_nor_written_over_each_other():
    table = attribution(claims(), {"none": tables(5.0), "noise": tables(-5.0)}, "none")
    long = [table.assign(part=f"{part}: inter-module less module 1, separate networks") for part in "ABCDE"]
    figure = draw_attribution(pd.concat(long), "none")
    figure.draw_without_rendering()
    boxes = [axis._left_title.get_window_extent() for axis in figure.axes[:4]]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes)) and boxes[-1].x1 <= figure.bbox.x1


def test_a_switch_tried_on_fewer_networks_is_shown_beside_those_with_nothing_switched():
    base, fewer = tables(5.0), tables(-5.0, n_seeds=3)
    figure = draw_attribution(attribution(claims(), {"none": base, "noise": fewer}, "none"), "none")
    axis = figure.axes[0]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["none (6)", "noise (3)"]
    hollow = [line for line in axis.lines if line.get_markerfacecolor() == "white"]
    means = base["performance"].query("network_seed < 3").groupby("source").accuracy.mean()
    assert len(hollow) == 1 and hollow[0].get_ydata()[0] == 1
    np.testing.assert_allclose(hollow[0].get_xdata()[0], means.cca - means.none)
