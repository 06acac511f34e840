"""Summaries of perturbed networks against loops over their rows, what figures show of them, refused settings."""

import statistics
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from workflow_helpers import REPOSITORY

from molap.analysis.robustness import area_under_curve, areas, robustness
from molap.config.base import ConfigError
from molap.config.perturbations import Deviations, Percents, PercentsLesioned, StrengthSettings
from molap.config.run import parse_config, read
from molap.config.tasks import TASK_NAMES
from molap.figures.perturbations import axis_label, draw_areas, summarise
from molap.jobs.job import run_job
from molap.planning.contents import curve_figures, lesion_task, lesioned_kind, lesions, perturbed_kinds, sweep
from molap.planning.figures import wanted_figures
from molap.planning.outputs import path
from molap.stages import areas as areas_stage
from molap.stages import robustness as robustness_stage
from molap.storage.files import canonical_json

METRICS = ("accuracy", "decision_accuracy", "all_correct", "mse")
SEEDS = (3, 4)
KINDS, TASKS = {"separate-": 6, "molap-none": 8}, ("mem_pro", "mem_dm1")
SHOWN = {"module1": (10.0, 30.0), "noise": (0.01, 0.02, 0.04)}


@pytest.fixture(scope="module")
def swept():
    """A table of sweeps of two strategies, tasks and seeds with three draws; one intact network is never right."""
    rng, rows = np.random.default_rng(0), []
    for kind, n_units in KINDS.items():
        strategy, _, source = kind.partition("-")
        for task in TASKS:
            for seed in SEEDS:
                places = [("intact", 0.0, 0, 0)]
                places += [(name, s, draw, int(100 * s)) for name in SHOWN for s in SHOWN[name] for draw in range(3)]
                for name, strength, draw, n_hit in places:
                    row = {"strategy": strategy, "source": source or "-", "n_units": n_units, "task": task}
                    row |= {"perturbation": name, "strength": strength, "n_hit": n_hit, "draw": draw}
                    row |= dict(zip(METRICS, rng.uniform(10, 90, 4), strict=True)) | {"best_constant": 50.5}
                    never = name == "intact" and (kind, task, seed) == ("separate-", "mem_pro", 3)
                    rows.append(
                        row | {"network_seed": seed, "response_mse": 1.0} | ({"accuracy": 0.0} if never else {})
                    )
    return pd.DataFrame(rows)


def draws_of(rows, kind, task, seed, name, strength, metric):
    """Values by draw, or of all tasks their means by draw."""
    wanted, found = (kind.partition("-")[0], seed, name if strength else "intact", strength), {}
    for row in rows:
        same = tuple(row[of] for of in ("strategy", "network_seed", "perturbation", "strength")) == wanted
        if same and task in (row["task"], "all"):
            found.setdefault(row["draw"], []).append(row[metric])
    assert all(len(values) == (2 if task == "all" else 1) for values in found.values())
    return [sum(values) / len(values) for values in found.values()]


def test_networks_have_no_strength_of_a_lesion_that_they_were_not_given(swept):
    own = swept[swept.strategy == "molap"]
    third = own[own.perturbation == "module1"].assign(perturbation="module3")
    table = robustness(pd.concat([swept, third], ignore_index=True))
    assert set(table[table.perturbation == "module3"].strategy) == {"molap"}
    found = areas(table)
    assert np.isfinite(found.area).all() and (found.up_to > 0).all()
    draw_areas(found, ["module1", "module3", "noise"], {})


def test_a_summary_holds_mean_and_deviation_over_draws_by_task_and_over_tasks(swept):
    rows, table = swept.to_dict("records"), robustness(swept)
    assert len(table) == 2 * 3 * 2 * (3 + 4) and set(table.task) == {*TASKS, "all"}
    for row in table.to_dict("records"):
        kind = next(kind for kind in KINDS if kind.startswith(row["strategy"]))
        assert (row["source"], row["n_units"]) == (kind.partition("-")[2] or "-", KINDS[kind])
        place = (kind, row["task"], row["network_seed"], row["perturbation"])
        (intact,) = draws_of(rows, *place, 0.0, "accuracy")
        columns = {metric: draws_of(rows, *place, row["strength"], metric) for metric in METRICS}
        columns["relative"] = [100 * value / intact if intact else np.nan for value in columns["accuracy"]]
        for name, values in columns.items():
            deviation = statistics.stdev(values) if row["strength"] and values[0] == values[0] else np.nan
            assert row[name] == pytest.approx(statistics.mean(values), nan_ok=True), (place, name)
            assert row[f"{name}_sd"] == pytest.approx(deviation, nan_ok=True), (place, name)
        assert (row["n_hit"], row["n_draws"]) == (int(100 * row["strength"]), 3 if row["strength"] else 1)
        assert row["best_constant"] == 50.5
    assert table.relative.isna().sum() == 7 and table.accuracy.notna().all()


def test_stages_write_the_summary_of_all_sweeps_and_its_areas(swept, tmp_path, monkeypatch):
    """The source `none` of networks that are not pre-trained survives the files."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("molap.jobs.job._git", dict)
    kinds = [kind.removesuffix("-") for kind in KINDS]
    words = ["--settings", "{}", "--output", "table=robustness.csv"]
    for (strategy, task, seed), rows in swept.groupby(["strategy", "task", "network_seed"]):
        kind = next(kind for kind in kinds if kind.startswith(strategy))
        file = tmp_path / path("perturbation", "r", block=f"s{seed}", kind=kind, task=task)
        file.parent.mkdir(parents=True, exist_ok=True)
        rows.to_csv(file, index=False)
        words += ["--input", f"{kind}/{task}/s{seed}={file}"]
    run_job("robustness", robustness_stage.Settings, robustness_stage.work, words)
    words = ["--settings", "{}", "--input", "robustness=robustness.csv", "--output", "table=areas.csv"]
    run_job("areas", areas_stage.Settings, areas_stage.work, words)
    keys = ["strategy", "source", "n_units", "task", "network_seed", "perturbation"]
    for file, expected, key in (
        ("robustness.csv", robustness(swept), [*keys, "strength"]),
        ("areas.csv", areas(robustness(swept)), keys),
    ):
        found, expected = (table.sort_values(key, ignore_index=True) for table in (pd.read_csv(file), expected))
        pd.testing.assert_frame_equal(found, expected, rtol=1e-8)


def test_areas_are_mean_heights_by_the_trapezoid_rule(swept):
    table = robustness(swept)
    found = areas(table)
    assert len(found) == 2 * 3 * 2 * 2
    for row in found.to_dict("records"):
        same = table
        for name in ("strategy", "task", "network_seed", "perturbation"):
            same = same[same[name] == row[name]]
        points = sorted(zip(same.strength, same.accuracy, same.relative, strict=True))
        area = relative = 0
        for (x0, y0, z0), (x1, y1, z1) in pairwise(points):
            area, relative = area + (x1 - x0) * (y0 + y1) / 2, relative + (x1 - x0) * (z0 + z1) / 2
        assert row["up_to"] == points[-1][0] == max(SHOWN[row["perturbation"]])
        assert row["area"] == pytest.approx(area / row["up_to"])
        assert row["relative_area"] == pytest.approx(relative / row["up_to"], nan_ok=True)
        by_numpy = np.trapezoid([p[1] for p in points], [p[0] for p in points]) / row["up_to"]
        curve = pd.Series([p[1] for p in points[1:]], [p[0] for p in points[1:]])
        assert row["area"] == pytest.approx(by_numpy) == pytest.approx(area_under_curve(curve, points[0][1]))


def test_the_area_under_a_straight_line_is_its_height_in_the_middle():
    strengths = np.array([2.0, 5.0, 10.0, 30.0])
    assert area_under_curve(pd.Series(90 - 2 * strengths, strengths), 90.0) == pytest.approx(60)
    assert area_under_curve(pd.Series([50.0], [0.02]), 100.0) == pytest.approx(75)
    bent = pd.Series([40.0, 40.0], [10.0, 40.0])
    assert area_under_curve(bent, 80.0) == pytest.approx((10 * 60 + 30 * 40) / 40)


@pytest.mark.parametrize("y", ["accuracy", "relative"])
def test_the_band_of_one_network_is_the_deviation_over_its_draws(swept, y):
    table = robustness(swept[swept.network_seed == 4])
    found = summarise(table, y).to_dict("records")
    assert len(found) == len(table)
    for row, expected in zip(found, table.to_dict("records"), strict=True):
        assert row[y] == expected[y] and row["n_seeds"] == 1
        assert row["half"] == (expected[f"{y}_sd"] if row["strength"] else 0)
        assert row["strength"] == 0 or row["half"] > 0


def test_the_band_of_several_networks_is_student_s_interval_of_their_means(swept):
    third = swept[swept.network_seed == 4].assign(network_seed=5, accuracy=lambda rows: rows.accuracy * 0.7)
    table = robustness(pd.concat([swept, third], ignore_index=True))
    found = summarise(table, "accuracy")
    assert len(found) == len(table) / 3 and set(found.n_seeds) == {3}
    for row in found.to_dict("records"):
        same = table
        for name in ("strategy", "task", "perturbation", "strength"):
            same = same[same[name] == row[name]]
        means = same.accuracy.tolist()
        low, high = stats.t.interval(0.95, 2, np.mean(means), stats.sem(means))
        assert (row["accuracy"] - row["half"], row["accuracy"] + row["half"]) == pytest.approx((low, high))


def test_more_draws_of_the_same_do_not_narrow_the_band_over_networks(swept):
    """Three draws of a network are no three networks."""
    again = swept[swept.perturbation != "intact"].assign(draw=lambda rows: rows.draw + 3)
    twice = robustness(pd.concat([swept, again], ignore_index=True))
    assert twice.n_draws.max() == 6
    pd.testing.assert_frame_equal(summarise(twice, "accuracy"), summarise(robustness(swept), "accuracy"))


def test_two_strengths_that_hit_the_same_number_are_one_place_of_every_network(swept):
    """In small networks; the interval is still one over networks."""
    table = robustness(swept)
    same = pd.concat([table, table[table.strength == 30].assign(strength=31.0)], ignore_index=True)
    pd.testing.assert_frame_equal(summarise(same, "accuracy", by="n_hit"), summarise(table, "accuracy", by="n_hit"))


def config(values=None, **perturbations):
    return parse_config((values or {}) | {"perturbations": perturbations})


def test_the_figures_of_the_paper_show_its_tasks_and_perturbations():
    modular, everywhere = ["module1", "module2", "inter_module"], ["whole", "noise", "silence"]
    expected = {"figS5": [[(task, name) for name in everywhere] for task in ("delay_pro", "context_mem_dm1")]}
    for figures, names in ((("figS1", "figS2"), modular), (("figS3", "figS4"), everywhere)):
        for figure, tasks in zip(figures, (TASK_NAMES[:4], TASK_NAMES[4:]), strict=True):
            expected[figure] = [[(task, name) for name in names] for task in tasks]
    over_tasks = [[("all", name) for name in names] for names in (modular, everywhere)]
    assert curve_figures(config()) == expected | {"fig4": over_tasks, "fig_relative": over_tasks}
    assert sweep(config()) == {
        "module1": [2, 5, 10, 20, 30],
        "module2": [2, 5, 10, 20, 30],
        "inter_module": [1, 2.5, 5, 10, 15, 30],
        "whole": [1, 2.5, 5, 10, 20, 30],
        "noise": [0.005, 0.01, 0.015, 0.02, 0.03],
        "silence": [2, 5, 10, 20, 30],
    }
    assert (lesion_task(config()), lesioned_kind(config())) == ("multi_mem", "molap-cca")
    assert perturbed_kinds(config()) == ["separate", "molap-cca", "molap-pca", "molap-none", "dni-rule"]
    more = config({"dni": {"kinds": ["dni-rule", "sequential-rule", "dni-norule", "joint-rule"]}})
    assert perturbed_kinds(more)[4:] == ["dni-rule", "dni-norule"]


def test_one_module_has_nothing_between_modules():
    shown = curve_figures(config({"network": {"n_modules": 1}}))
    assert shown["fig4"] == [[("all", "module1")], [("all", "whole"), ("all", "noise"), ("all", "silence")]]
    assert "inter_module" not in sweep(config({"network": {"n_modules": 1}}))


@pytest.mark.parametrize("nothing", [{"kinds": []}, {"tasks": []}])
def test_nothing_is_shown_where_nothing_is_perturbed(nothing):
    assert curve_figures(config(**nothing)) == sweep(config(**nothing)) == {}


def test_the_tour_draws_every_figure_of_the_paper():
    tour = read(REPOSITORY / "config" / "quick.yaml")
    paper = {"fig1c", "fig2", "fig3", "fig4", "fig5", *(f"figS{number}" for number in range(1, 6))}
    assert paper <= {*wanted_figures(tour), *curve_figures(tour)}


def test_an_example_that_is_not_perturbed_is_refused():
    with pytest.raises(ConfigError, match=r"^perturbations.example_task: 'mem_dm1' is not allowed; this run trains"):
        config(tasks=["mem_pro"], example_task="mem_dm1")


def test_what_has_no_strengths_or_is_not_perturbed_is_not_shown():
    shown = curve_figures(config(tasks=["mem_pro", "mem_dm1"], noise=[], module=[], inter_module=[]))
    assert set(shown) == {"figS3", "figS4", "figS5", "fig4", "fig_relative"}
    for figure, task in {"figS3": "mem_pro", "figS4": "mem_dm1", "figS5": "mem_pro"}.items():
        assert shown[figure] == [[(task, "whole"), (task, "silence")]]
    assert set(curve_figures(config(whole=[], noise=[], silence=[]))) == {"figS1", "figS2", "fig4", "fig_relative"}
    assert "figS3" not in curve_figures(config(tasks=["context_mem_dm1"]))
    assert lesions(config(whole=[], module=[], inter_module=[])) == [] and lesions(config(module=[])) != []
    assert config(module=[30, 5, 10]).perturbations.module == (5, 10, 30)


class Further(StrengthSettings):
    """With two perturbations of a user's own."""

    pruned: PercentsLesioned = (5.0, 10.0)
    shifted: Deviations = (0.1, 0.2)
    rewired: Percents = (5.0, 10.0)


def test_a_further_perturbation_is_a_lesion_and_has_a_unit_if_it_declares_so(monkeypatch):
    monkeypatch.setattr("molap.config.perturbations.StrengthSettings", Further)
    found = {**sweep(config()), "pruned": [5.0, 10.0], "shifted": [0.1, 0.2], "rewired": [5.0, 10.0]}
    monkeypatch.setattr("molap.planning.contents.sweep", lambda c: found)
    assert lesions(config()) == ["module1", "module2", "inter_module", "whole", "pruned"]
    rows = [{"perturbation": name, "up_to": max(found[name])} for name in found]
    table = pd.DataFrame(rows).assign(strategy="separate", source="-", n_units=9, task="all", network_seed=0)
    ticks = draw_areas(table.assign(area=50.0, relative_area=90.0), list(found), {}).axes[1].get_xticklabels()
    shown = dict(zip(found, (tick.get_text().partition("\nup to ")[2] for tick in ticks), strict=True))
    assert shown["noise"] == "0.03" and shown["shifted"] == "0.2" and axis_label("shifted") == "shifted"
    assert {shown[name] for name in ("pruned", "rewired")} == {"10 %"} and axis_label("rewired") == "rewired (%)"
    assert {shown[name] for name in ("module1", "module2", "inter_module", "whole", "silence")} == {"30 %"}


TRAINED = "separate, molap-cca, molap-pca, molap-none, dni-rule"
KEYS = "inter_module_as, biases, silencing, module, inter_module, whole, noise, silence, draws, n_trials, kinds, tasks"
MORE = ", example_task, example_strength"


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ({"kinds": ["dni"]}, f"kinds: 'dni' is not allowed; this run trains {TRAINED}"),
        ({"kinds": ["separate"] * 2}, "kinds: ['separate', 'separate'] is not allowed; each may appear once"),
        ({"tasks": ["memory"]}, f"tasks: 'memory' is not allowed; this run trains {', '.join(TASK_NAMES)}"),
        ({"example_task": "T1"}, f"example_task: 'T1' is not allowed; this run trains {', '.join(TASK_NAMES)}"),
        ({"module": [5, 2, 5]}, "module: [5.0, 2.0, 5.0] is not allowed; each strength may appear once"),
        ({"noise": [0.1, 0.1]}, "noise: [0.1, 0.1] is not allowed; each strength may appear once"),
        ({"whole": [5, -1]}, "whole.1: -1 is not allowed; it must be greater than 0"),
        ({"silence": [0]}, "silence.0: 0 is not allowed; it must be greater than 0"),
        ({"inter_module": [100.5]}, "inter_module.0: 100.5 is not allowed; it must be less than or equal to 100"),
        ({"noise": [11]}, "noise.0: 11 is not allowed; it must be less than or equal to 10"),
        ({"module": 30}, "module: 30 is not allowed; give a list, for example [30]"),
        ({"draws": 0}, "draws: 0 is not allowed; it must be greater than or equal to 1"),
        ({"silencing": "units"}, "silencing: 'units' is not allowed; allowed: 'activity' or 'recurrence'"),
        ({"silences": [3]}, f"silences: unknown key; allowed are {KEYS}{MORE}; did you mean silence?"),
    ],
    ids=lambda value: "" if isinstance(value, str) else canonical_json(value),
)
def test_a_bad_setting_is_refused_with_its_field_its_value_and_what_is_allowed(setting, complaint):
    with pytest.raises(ConfigError) as refusal:
        config(**setting)
    assert str(refusal.value) == f"perturbations.{complaint}"
