"""What figures show of their tables: every number at its place, found again in the drawn artists."""

import itertools

import numpy as np
import pandas as pd
import pytest
from drawn import figure_files
from matplotlib.container import BarContainer, ErrorbarContainer
from PIL import Image
from scipy import stats

from molap.analysis.counts import scaling
from molap.analysis.generalisation import differences, paired, read_generalisation
from molap.analysis.learning import cumulative
from molap.config.tasks import TASK_LABELS
from molap.figures.continual import draw_continual
from molap.figures.generalisation import draw_fig5
from molap.figures.learning import draw_learning, draw_scaling
from molap.figures.modules import PRINTED, draw_modules
from molap.figures.performance import draw_fig2
from molap.figures.perturbations import AXES, axis_label
from molap.figures.style import NAMES, network_seeds, new_figure, save_figure, turn_long_labels
from molap.figures.tune import SHOWN, draw_tune, shown
from molap.storage.files import write_table

LABELS = {"delay_pro": "T1", "mem_dm1": "T5", "multi_mem": "T9"}
CHANNELS = (("delay_pro", ("fixation", "cos", "sin"), ("fixation", "cos", "sin")), ("mem_dm1", ("a", "b"), ("a", "c")))
SEED, SEEDS = "network_seed", (0, 1, 2)
STEPS = {"pretraining": 5, "heads": 20, "separate": 20, "dni": 20}


def rows(*columns, **values):
    """A table with a row for every combination of the columns' values and a random accuracy."""
    names, choices = [name for name, _ in columns], [chosen for _, chosen in columns]
    table = pd.DataFrame(itertools.product(*choices), columns=names)
    generator = np.random.default_rng(0)
    return table.assign(accuracy=generator.uniform(20, 100, len(table)), best_constant=60.0, **values)


def test_fig2_s_bars_are_means_and_their_lines_intervals_of_student():
    kinds = (("separate", "-"), ("molap", "cca"), ("molap", "none"))
    table = rows(("kind", kinds), ("label", ("T1", "T5")), ("network_seed", SEEDS))
    table = table.assign(strategy=[kind[0] for kind in table.kind], source=[kind[1] for kind in table.kind])
    figure = draw_fig2(table.assign(best_constant=50.0, n_test_trials=9), {}, pd.DataFrame({"source": []}), "delay_pro")
    separate, molap = figure.subfigs[0].axes
    drawn = {("separate", "-"): separate.containers[0], **dict(zip(kinds[1:], molap.containers, strict=False))}
    lines = {"separate": separate.lines, "molap": molap.lines}
    for (kind, label), own in table.groupby(["kind", "label"]):
        place = ("T1", "T5").index(label)
        assert drawn[kind][place].get_height() == pytest.approx(own.accuracy.mean())
        expected = stats.ttest_1samp(own.accuracy, 0).confidence_interval(0.95)
        x = drawn[kind][place].get_x() + drawn[kind][place].get_width() / 2
        ends = [line.get_ydata() for line in lines[kind[0]] if np.allclose(line.get_xdata(), x)]
        np.testing.assert_allclose(ends, [np.clip(expected, 0, 100)])


@pytest.mark.parametrize(("task", "n_outputs"), [("delay_pro", 2), ("mem_dm1", 12)])
def test_fig2_s_details_are_titled_with_the_task_that_is_named(task, n_outputs):
    names = (("network_seed", SEEDS), ("task", ("delay_pro", "mem_dm1")))
    table = rows(*names, strategy="molap", source="cca", n_test_trials=9)
    table = table.assign(label=table.task.map(LABELS))
    curves = pd.DataFrame({"source": "cca", "network_seed": 0, "step": [0, 10], "mse": [0.2, 0.1]})
    shapes = {
        "outputs": (9, 4, n_outputs),
        "targets": (9, 4, n_outputs),
        "error": (4, n_outputs),
        "rates": (9, 6),
        "w_rec": (6, 6),
    }
    example = {name: np.random.default_rng(0).uniform(size=shape) for name, shape in shapes.items()}
    figure = draw_fig2(table, {"cca": example | {"w_out": np.ones((n_outputs, 6))}}, curves, task)
    assert figure.subfigs[1]._suptitle.get_text().startswith(f"D   {LABELS[task]}: ")


@pytest.fixture
def generalised(tmp_path):
    parts = [rows(("source", ("cca", "pca", "none", "cortex")), ("task", LABELS), ("network_seed", SEEDS))]
    parts[0] = parts[0].assign(left_out="", n_left_out=0, n_absent=0, place=0)
    names = list(LABELS)
    for i, first in enumerate(names):
        for left_out in ([first], [first, names[(i + 1) % 3]]):
            part = rows(("source", ("cca", "pca")), ("task", left_out), ("network_seed", SEEDS))
            place = part.task.map(left_out.index) + 1
            n = len(left_out)
            parts.append(part.assign(left_out="+".join(left_out), n_left_out=n, n_absent=n, place=place))
    table = pd.concat(parts, ignore_index=True)
    write_table(tmp_path / "g.csv", paired(table.assign(label=table.task.map(LABELS))))
    return read_generalisation(tmp_path / "g.csv")


def heights(table, **chosen):
    """Mean accuracy by task of the chosen rows."""
    for name, value in chosen.items():
        table = table[table[name] == value]
    return table.groupby("task").accuracy.mean().reindex(LABELS).to_numpy()


def test_fig5_has_a_bar_for_every_corpus_and_a_point_for_every_other_reservoir(generalised):
    accuracy = draw_fig5(generalised, differences(generalised), LABELS).axes[0]
    containers = [found for found in accuracy.containers if isinstance(found, BarContainer)]
    bars = [[bar.get_height() for bar in container] for container in containers]
    first = generalised[generalised.place <= 1]
    expected = [heights(first, source=s, n_left_out=n) for s in ("cca", "pca") for n in (0, 1, 2)]
    np.testing.assert_allclose(bars, expected)
    others = [found for found in accuracy.containers if isinstance(found, ErrorbarContainer) and found.lines[0]]
    points = {found.get_label(): found.lines[0].get_ydata(orig=False) for found in others}
    for source, name in (("none", "random reservoir, no pre-training"), ("cortex", "reservoir “cortex”")):
        np.testing.assert_allclose(points[name], heights(generalised, source=source))
    names = accuracy.get_legend_handles_labels()[1]
    assert "best constant output" in names and len(set(names)) == 6 + 2 + 1


@pytest.mark.parametrize(("panel", "column"), [(1, "difference"), (2, "to_none")])
def test_fig5_shows_every_difference_with_its_interval(generalised, panel, column):
    found = differences(generalised)
    axes = draw_fig5(generalised, found, LABELS).axes[panel]
    shown = np.concatenate([container.lines[0].get_ydata(orig=False) for container in axes.containers])
    np.testing.assert_allclose(np.sort(shown), np.sort(found[column]))
    low = [bar[:, 1].min() for container in axes.containers for bar in container.lines[2][0].get_segments()]
    np.testing.assert_allclose(np.sort(low), np.sort(found[f"{column}_low"]))


def test_one_network_seed_has_no_interval(generalised):
    table = generalised[generalised.network_seed == 0]
    figure = draw_fig5(table, differences(table), LABELS)
    assert "one network seed" in figure.get_suptitle() and "interval" not in figure.get_suptitle()
    assert "intervals over 3 network seeds" in draw_fig5(generalised, differences(generalised), LABELS).get_suptitle()


def test_fig5_cuts_no_name_of_sets_from_which_nothing_is_left_out(generalised):
    """The names of `released`, whose sets of one task leave nothing out, are the longest."""
    table = generalised.assign(n_absent=generalised.n_absent.where(generalised.n_left_out > 1, 0))
    figure = draw_fig5(table, differences(table), LABELS)
    figure.canvas.draw()
    assert any("none left out" in text.get_text() for text in figure.legends[0].get_texts())
    for text in figure.legends[0].get_texts():
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width, text.get_text()


def test_fig5_drops_no_set_and_says_which_tasks_were_left_out(generalised):
    """Two sets of one size with the same task; one of three tasks; one that leaves nothing out."""
    extra = []
    for left_out, n_absent in ((["delay_pro", "multi_mem"], 2), (list(LABELS), 3), (["mem_dm1"], 0)):
        part = rows(("source", ("cca",)), ("task", left_out), ("network_seed", SEEDS)).assign(n_absent=n_absent)
        place = part.task.map(left_out.index) + 1
        extra.append(part.assign(left_out="+".join(left_out), n_left_out=len(left_out), place=place))
    table = pd.concat([generalised, *extra], ignore_index=True)
    table = paired(table.assign(label=table.task.map(LABELS)))
    found = differences(table)
    figure = draw_fig5(table, found, LABELS)
    for panel, column in ((1, "difference"), (2, "to_none")):
        points = [c.lines[0].get_ydata(orig=False) for c in figure.axes[panel].containers]
        points = np.sort(np.concatenate(points))
        np.testing.assert_allclose(points[np.isfinite(points)], np.sort(found[column]))
    names = figure.axes[0].get_legend_handles_labels()[1]
    assert "MoLaP, CCA pre-training: 1 named, none left out (released code)" in names
    assert "left out: T1, T1+T5, T5, T5+T9, T9, T9+T1, T1+T9, T1+T5+T9" in figure.get_suptitle()
    assert "sets of two are neighbours: " in draw_fig5(generalised, differences(generalised), LABELS).get_suptitle()


def by_number_of_modules(labels):
    columns = [("fixed", ("network", "module")), ("source", ("cca", "none")), ("n_modules", (1, 2, 3))]
    table = rows(*columns, ("task", labels), ("network_seed", SEEDS))
    table = table.assign(n_units=12, updates=1000 * table.n_modules, label=table.task.map(labels))
    return table.assign(explained_variance=(20.0 * table.n_modules).where(table.source == "cca"))


@pytest.mark.parametrize("labels", [LABELS, pytest.param(TASK_LABELS, marks=pytest.mark.exhaustive)])
def test_the_panels_of_modules_do_not_overlap(labels, tmp_path):
    figure = draw_modules(by_number_of_modules(labels), labels)
    save_figure(figure, figure_files(tmp_path, "fig"), {}, {})
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_a_figure_without_room_for_its_panels_is_not_saved(tmp_path):
    figure = new_figure(1.0, 1.0)
    for place in figure.add_gridspec(1, 9):
        figure.add_subplot(place).set_ylabel("a long description of what this axis shows")
    with pytest.raises(UserWarning, match="constrained_layout not applied"):
        save_figure(figure, figure_files(tmp_path, "fig"), {}, {})
    assert not list(tmp_path.iterdir())


def test_the_figure_of_modules_shows_accuracy_explained_variance_and_updates():
    table = by_number_of_modules(LABELS)
    accuracy, explained, cost, *tasks = draw_modules(table, LABELS).axes
    assert len(accuracy.containers) == 4 and len(tasks) == len(LABELS)
    expected = table.groupby(["fixed", "source", "n_modules"], sort=False).accuracy.mean().to_numpy().reshape(4, 3)
    np.testing.assert_allclose(
        [container.lines[0].get_ydata(orig=False) for container in accuracy.containers], expected
    )
    (line, printed) = explained.lines[0], explained.lines[-1]
    np.testing.assert_allclose(line.get_ydata(orig=False), [20, 40, 60])
    assert dict(zip(*printed.get_data(), strict=True)) == PRINTED
    np.testing.assert_allclose(cost.containers[0].lines[0].get_ydata(orig=False), [1000, 2000, 3000])
    first = table[(table.fixed == "network") & (table.source == "cca")]
    for axes, task in zip(tasks, LABELS, strict=True):
        own = first[first.task == task].groupby("n_modules").accuracy.mean()
        np.testing.assert_allclose(axes.containers[0].lines[0].get_ydata(orig=False), own)


def test_the_figure_of_learning_puts_accuracy_against_steps_and_against_all_updates():
    columns = [("kind", (("separate", "-"), ("molap", "cca"), ("joint", "rule"))), ("task", LABELS)]
    table = rows(*columns, ("step", (0, 1, 2, 5, 10)), ("network_seed", SEEDS))
    table[["strategy", "source"]] = table.kind.tolist()
    table = table.assign(updates=table.step * 100, updates_before=700, label=table.task.map(LABELS))
    figure, mean = draw_learning(table, LABELS, "constant")
    steps, updates, *tasks = figure.axes
    pd.testing.assert_frame_equal(mean, cumulative(table))
    for i, (strategy, source) in enumerate([("separate", "-"), ("molap", "cca"), ("joint", "rule")]):
        own = mean[(mean.strategy == strategy) & (mean.source == source)].groupby("step").mean(numeric_only=True)
        np.testing.assert_allclose(steps.lines[i].get_ydata(orig=False), own.accuracy)
        np.testing.assert_array_equal(steps.lines[i].get_xdata(), [0, 1, 2, 5, 10])
        np.testing.assert_allclose(updates.lines[i].get_xdata(), own.updates[own.updates > 0])
    assert len(tasks) == len(LABELS)


def test_the_figure_of_scaling_shows_the_table():
    table = scaling(CHANNELS, (12, 24), 2, STEPS)
    by_tasks, by_units, _, updates = draw_scaling(table, 20).axes
    for i, strategy in enumerate(("separate", "dni", "molap", "none")):
        own = table[table.strategy == strategy]
        np.testing.assert_allclose(by_tasks.lines[i].get_ydata(orig=False), own[own.n_units == 24].trained)
        np.testing.assert_allclose(by_units.lines[i].get_ydata(orig=False), own[own.n_tasks == 2].trained)
        np.testing.assert_allclose(updates.lines[i].get_ydata(orig=False), own[own.n_tasks == 2].updates)


@pytest.mark.parametrize("sources", [("rule",), ("norule",), ("rule", "norule")])
def test_learning_in_sequence_shows_every_score_and_cuts_no_word(sources):
    places = {0: "", 1: "delay_pro", 2: "mem_dm1", 3: "multi_mem"}
    scores = rows(("source", sources), ("place", places), ("task", LABELS), ("network_seed", SEEDS))
    scores = scores.assign(strategy="dni", order=0, after=scores.place.map(places))
    joint = rows(("source", sources), ("task", LABELS)).assign(strategy="joint")
    figure = draw_continual(scores, joint, LABELS)
    assert [text.get_text() for text in figure.legends[0].get_texts()][2] == NAMES["joint"]
    only_last = draw_continual(scores, joint[joint.source == sources[-1]], LABELS).legends[0]
    assert len(only_last.get_texts()) == 4, "what a single column shows has its entry"
    means = scores.groupby(["source", "place", "task"]).accuracy.mean()
    for source, axes in zip(sources, figure.axes, strict=False):
        expected = [f"{means[source, place, task]:.0f}" for place in (1, 2, 3) for task in LABELS]
        assert [text.get_text() for text in axes.texts][: len(expected)] == expected
    figure.draw_without_rendering()
    for words in (figure.legends[0], figure._suptitle):
        box = words.get_window_extent()
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1


SEARCHED = ("separate", "molap-none", "dni-rule")


def searched(n=SHOWN + 3):
    """Tables of a search in which candidate k has k failures, and DNI knew each task better right after it."""
    names = [f"n_units_squared, rate 0.003, W_rec × 0.0{k}, clip none, 2000, batch 50, frozen batch" for k in range(n)]
    table = rows(("kind", SEARCHED), ("candidate", names), ("task", LABELS))
    right_after = (table.accuracy + 5).where(table.kind == "dni-rule")
    choice = rows(("kind", (*SEARCHED, "all")), ("candidate", names), networks=n)
    choice["failed"] = choice["rank"] = choice.candidate.map(names.index)
    return table.assign(accuracy_right_after=right_after), choice.assign(lowest_accuracy=choice.accuracy - 15)


def test_the_search_shows_failures_accuracy_and_the_lowest_network_of_the_best_candidates_of_every_kind():
    table, choice = searched()
    drawn = shown(table, choice)
    assert list(drawn.groupby("kind", sort=False).size()) == [SHOWN] * 4 and drawn.failed.max() == SHOWN - 1
    figure = draw_tune(drawn)
    for kind, panel in zip((*SEARCHED, "all"), figure.subfigs, strict=True):
        own = choice[choice.kind == kind].head(SHOWN)
        failures, accuracy = panel.axes
        assert [bar.get_width() for bar in failures.containers[0]] == list(own.failed)
        assert [label.get_text() for label in failures.get_yticklabels()] == list(own.candidate)
        points = {line.get_label(): line.get_xdata() for line in accuracy.lines}
        np.testing.assert_allclose(points["mean"], own.accuracy)
        np.testing.assert_allclose(points["lowest network"], own.lowest_accuracy)
        assert np.allclose(points["best constant output"], 60)
        assert ("mean, right after each task" in points) == (kind == "dni-rule")
        assert failures.get_xlabel() == f"failed of {SHOWN + 3}" and "accuracy" in accuracy.get_xlabel()
    after = table[table.kind == "dni-rule"].groupby("candidate", sort=False).accuracy_right_after.mean().head(SHOWN)
    np.testing.assert_allclose(
        next(line for line in figure.subfigs[2].axes[1].lines if "right after" in line.get_label()).get_xdata(), after
    )


@pytest.mark.parametrize("n", [2, SHOWN + 3])
def test_names_of_candidates_are_not_cut_and_do_not_overlap(tmp_path, n):
    figure = draw_tune(shown(*searched(n)))
    save_figure(figure, figure_files(tmp_path, "tune"), {}, {})
    with Image.open(tmp_path / "tune.png") as image:
        ink = np.asarray(image.convert("L")) < 200
    assert ink[:, :2].sum() == 0 and ink[:, 2:300].any()
    for panel in figure.subfigs:
        boxes = [label.get_window_extent() for label in panel.axes[0].get_yticklabels()]
        assert all(panel.bbox.x0 <= box.x0 for box in boxes)
        boxes.sort(key=lambda box: box.y0)
        assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))


def test_a_kind_with_fewer_networks_is_named():
    kinds = [("separate", "-"), ("dni", "norule")]
    table = pd.DataFrame([(*kind, seed) for kind in kinds for seed in SEEDS], columns=["strategy", "source", SEED])
    assert network_seeds(table) == "3 network seeds"
    assert network_seeds(table[:-1]) == "3 network seeds (DNI, no rule input: 2)"


@pytest.mark.parametrize(
    ("perturbation", "expected"),
    [
        ("module2", "module 2 weights lesioned (%)"),
        ("silence", "units silenced (%)"),
        ("noise", AXES["noise"]),
        ("user_s_own", "user_s_own"),
    ],
)
def test_the_strength_of_a_perturbation_is_named_on_its_axis_that_of_a_user_s_own_by_its_name(perturbation, expected):
    assert axis_label(perturbation) == expected


def test_many_long_labels_are_written_upward_and_short_ones_stay():
    for labels, turned in (([f"T{i}" for i in range(1, 11)], False), ([f"ctxdlydm{i}" for i in range(20)], True)):
        axes = new_figure(5.0, 2.0).subplots()
        axes.set_xticks(range(len(labels)), labels)
        turn_long_labels(axes, labels)
        assert {text.get_rotation() for text in axes.get_xticklabels()} == {90.0 if turned else 0.0}
