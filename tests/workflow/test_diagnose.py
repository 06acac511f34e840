"""`snakemake diagnose`: its figure, what it plans and refuses, and a run to its end."""

import itertools
import json
import re

import numpy as np
import pandas as pd
import pytest

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.figures.plateau import PANELS, draw_plateau, mean_over_seeds
from molap.planning.contents import plateau_tasks
from molap.planning.plan import Plan

PROTOCOLS = {
    "before": {"readout_init": "n_units", "learning_rate": 0.003, "recurrent_rate": 1.0, "n_steps": 2000},
    "now": {"readout_init": "zero", "learning_rate": 0.01, "recurrent_rate": 0.1, "n_steps": 1000},
}


def table_of(seeds=(0, 1, 2), tasks=(("mem_dm1", "T5"), ("multi_mem", "T9"))):
    rng, rows = np.random.default_rng(0), []
    for protocol, (task, label), seed in itertools.product(PROTOCOLS, tasks, seeds):
        for step in (0, 1, 10, 100, PROTOCOLS[protocol]["n_steps"]):
            row = {"protocol": protocol, "task": task, "label": label, "network_seed": seed, "step": step}
            row |= {name: rng.uniform(0.1, 1) for names, _ in PANELS for name in names}
            if protocol == "now" and step == 0:
                row |= {"gradient_pulse1": 0.0, "gradient_pulse2": 0.0}
            rows.append(row | {"best_constant": 75.0})
    return pd.DataFrame(rows)


def test_the_mean_is_geometric_where_values_span_decades():
    table = table_of()
    table.loc[table.protocol == "before", "gradient_pulse1"] = [1e-12, 1e-2, 1e-4, 1e-6, 1e-8] * 6
    mean = mean_over_seeds(table).set_index(["protocol", "task", "step"])
    own = table[(table.protocol == "now") & (table.task == "multi_mem") & (table.step == 10)]
    found = mean.loc[("now", "multi_mem", 10)]
    assert found.accuracy == pytest.approx(own.accuracy.mean())
    assert found.state_variance == pytest.approx(np.prod(own.state_variance) ** (1 / 3))
    assert mean.loc[("before", "mem_dm1", 1)].gradient_pulse1 == pytest.approx(1e-2)
    assert mean.loc[("now", "mem_dm1", 0)].gradient_pulse1 == 0


def test_the_figure_has_a_row_per_task_and_a_line_per_network_and_protocol():
    table = table_of()
    figure, mean = draw_plateau(table, PROTOCOLS), mean_over_seeds(table)
    assert len(figure.axes) == 2 * len(PANELS)
    for i, axes in enumerate(figure.axes):
        task, (quantities, _) = ("mem_dm1", "multi_mem")[i // len(PANELS)], PANELS[i % len(PANELS)]
        drawn = [tuple(map(tuple, line.get_xydata())) for line in axes.lines]
        for quantity, protocol in itertools.product(quantities, PROTOCOLS):
            own = table[(table.task == task) & (table.protocol == protocol)]
            lines = [network for _, network in own.groupby("network_seed")]
            lines.append(mean[(mean.task == task) & (mean.protocol == protocol)])
            for line in lines:
                assert tuple(zip(line.step, line[quantity], strict=True)) in drawn
        assert len(axes.lines) == 2 * 4 * len(quantities) + (i % len(PANELS) == 0)
    assert [axes.get_ylabel() for axes in figure.axes[:: len(PANELS)]] == ["T5 (mem_dm1)", "T9 (multi_mem)"]


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_all_words_of_the_figure_are_readable(seeds):
    figure = draw_plateau(table_of(seeds), PROTOCOLS)
    figure.draw_without_rendering()
    titles = [axes._left_title.get_window_extent() for axes in figure.axes[: len(PANELS)]]
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(titles)) and titles[-1].x1 <= figure.bbox.x1
    for words in (figure.legends[0], figure._suptitle):
        box = words.get_window_extent()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "as in this run: readout starts at zero, 1,000 steps at rate 0.01 (W_rec 0.001)" in legend
    assert "as before: readout of variance 1/(N + 1), 2,000 steps at rate 0.003" in legend
    assert ("one network seed" if len(seeds) == 1 else "3 network seeds") in figure.get_suptitle()


@pytest.mark.parametrize(
    ("names", "chosen", "expected"),
    [
        (None, None, ["mem_dm1", "multi_mem"]),
        (["mem_pro", "multi_mem"], None, ["multi_mem"]),
        (["mem_pro", "delay_pro"], None, ["delay_pro"]),
        (None, ["mem_pro"], ["mem_pro"]),
    ],
)
def test_tasks_are_those_that_failed_where_they_are_trained(names, chosen, expected):
    values = {"tasks": {"names": names}} if names else {}
    figures = {"plateau_tasks": chosen} | ({"example_task": names[0]} if names else {})
    assert plateau_tasks(parse_config(values | {"figures": figures})) == expected


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (["mem_dm9"], "figures.plateau_tasks: there is no task 'mem_dm9'"),
        (
            ["multi_mem"],
            "figures.plateau_tasks: 'multi_mem' is not trained; allowed are the tasks of tasks.names: mem_pro",
        ),
        (["mem_pro", "mem_pro"], "figures.plateau_tasks: ['mem_pro', 'mem_pro'] is not allowed; each may appear once"),
        ("mem_pro", "figures.plateau_tasks: 'mem_pro' is not allowed; give a list, for example [mem_pro]"),
        ([], "figures.plateau_tasks: [] is not allowed"),
    ],
)
def test_a_task_that_is_not_trained_is_refused_in_one_line(chosen, words):
    values = {"tasks": {"names": ["mem_pro", "mem_dm1"]}, "tune": {"tasks": ["mem_pro"]}}
    with pytest.raises(ConfigError, match="^" + re.escape(words)) as refused:
        parse_config(values | {"figures": {"example_task": "mem_pro", "plateau_tasks": chosen}})
    assert "\n" not in str(refused.value)


def test_what_the_former_protocol_does_not_change_is_shared():
    at = {"block": "s0", "task": "mem_dm1"}
    switches = {"protocol": {"separate": {"n_steps": 7}}}
    plan = Plan(parse_config({"attribution": {"switches": switches}}))
    for stage, place in (("plateau", "paper/switch/protocol/plateau"), ("separate", "paper/switch/protocol/networks")):
        assert plan.path(stage, "paper/switch/protocol", **at).startswith(f"results/{place}/s0/")
    assert plan.path("validation", "paper/switch/protocol", task="mem_dm1") == "results/paper/validation/mem_dm1.npz"
    same = Plan(parse_config({"attribution": {"switches": {"protocol": {"heads": {"n_steps": 7}}}}}))
    assert same.path("plateau", "paper/switch/protocol", **at) == "results/paper/plateau/s0/mem_dm1.csv"


def test_the_legend_tells_what_separate_networks_are_trained_with():
    changes = {"network": {"readout_init": "n_units"}, "separate": {"n_steps": 7}, "heads": {"n_steps": 9}}
    values = {"network": {"readout_init": "zero"}, "separate": {"learning_rate": 0.02, "recurrent_rate": 0.5}}
    config = parse_config(values | {"attribution": {"switches": {"protocol": changes}}})
    found = json.loads(Plan(config).settings("fig_plateau", "paper"))["protocols"]
    assert found["now"] == values["network"] | values["separate"] | {"n_steps": config.separate.n_steps}
    assert found["before"] == found["now"] | {"readout_init": "n_units", "n_steps": 7}


def former(n_steps):
    return {"switches": {"protocol": {"network": {"readout_init": "n_units"}, "separate": {"n_steps": n_steps}}}}


@pytest.mark.exhaustive
def test_diagnose_runs_to_a_figure_of_both_protocols_and_again_what_changed(changed):
    changed.set(attribution=former(6))
    collected = {"plateau_table": 1, "fig_plateau": 1}
    assert changed.planned("diagnose") == {"separate": 1, "plateau": 2} | collected
    result = changed.run("diagnose")
    assert result.returncode == 0, result.stdout + result.stderr
    assert changed.planned("diagnose") == {}
    folder = changed.folder / "results/tiny"
    assert all((folder / f"plateau/fig_plateau.{ending}").exists() for ending in ("png", "svg", "pdf"))
    table = pd.read_csv(folder / "plateau/plateau.csv")
    counts = table.groupby(["protocol", "task", "label", "network_seed"], sort=False).step.agg(["min", "max", "size"])
    assert {key: tuple(row) for key, *row in counts.itertuples()} == {
        (protocol, "mem_dm1", "T5", seed): (0, last, 5)
        for protocol, last in (("now", 8), ("before", 6))
        for seed in (0, 1)
    }
    assert (table[(table.protocol == "now") & (table.step == 0)].gradient_pulse1 == 0).all()
    pd.testing.assert_frame_equal(pd.read_csv(folder / "plateau/fig_plateau_seeds.csv"), table)
    record = json.loads((folder / "plateau/s0-1/mem_dm1.record.json").read_text())
    last = table[(table.protocol == "now") & (table.step == 8)]
    assert record["metrics"]["spectral_radius"] == pytest.approx(list(last.spectral_radius))

    assert changed.run("results/tiny/learned/s0-1/separate.json").returncode == 0
    learned = pd.DataFrame(json.loads((folder / "learned/s0-1/separate.json").read_text()))
    keys = ["network_seed", "step"]
    expected = learned[learned.task == "mem_dm1"].set_index(keys)[["accuracy", "best_constant"]].sort_index()
    now = table[table.protocol == "now"].set_index(keys)[["accuracy", "best_constant"]].sort_index()
    pd.testing.assert_frame_equal(now, expected)

    changed.set(attribution=former(7))
    assert changed.planned("diagnose") == {"separate": 1, "plateau": 1} | collected
    changed.set(attribution=former(6), figures={"plateau_tasks": ["mem_dm1", "delay_pro"]})
    assert changed.planned("diagnose") == {"separate": 1, "plateau": 2} | collected


@pytest.mark.exhaustive
def test_without_the_former_protocol_it_is_refused_before_anything_runs(changed):
    changed.set(attribution={"switches": {"noise": {"tasks": {"input_noise": 0.02}}}})
    result = changed.run("--dry-run", "diagnose")
    assert result.returncode == 1 and "Traceback" not in result.stdout + result.stderr
    words = "attribution.switches: 'protocol', which `snakemake diagnose` needs, is not among them: noise"
    assert words in result.stdout + result.stderr
    assert changed.run("--dry-run").returncode == 0
