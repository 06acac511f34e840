"""Figures of an opened run: the workflow's own for all of it, and those of a choice of kinds and tasks."""

import shutil
import warnings

import matplotlib
import numpy as np
import pytest
from PIL import Image

import molap
import molap.figures
from molap.analysis.robustness import robustness
from molap.config.base import ConfigError
from molap.figures.style import RC, save_figure


@pytest.fixture(scope="module")
def opened(finished):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the installed version may be older than the sources
        return molap.open(finished.folder / "results" / "tiny")


def pixels(content) -> np.ndarray:
    return np.asarray(Image.open(content).convert("RGB")).astype(int)


NAMES = ["fig1c", "fig2", "fig3", "fig4", "fig5", "fig_areas", "fig_dni", "fig_learning", "fig_scaling"]


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", NAMES)
def test_of_all_kinds_and_tasks_it_is_the_workflow_s_figure(opened, finished, tmp_path, name):
    outputs = {kind: str(tmp_path / f"{name}.{kind}") for kind in ("png", "svg", "pdf")}
    with matplotlib.rc_context(RC):
        drawn = getattr(molap.figures, name).__wrapped__(opened)  # its layout is computed once, as in the workflow
        save_figure(drawn, outputs, {}, {})
    expected = finished.folder / f"results/tiny/figures/{name}.png"
    np.testing.assert_array_equal(pixels(outputs["png"]), pixels(expected))


def test_bars_are_the_table_s_means_in_the_order_that_was_asked_for(opened):
    figure = molap.figures.fig2(opened, kinds=["separate", "molap-cca"], tasks=["mem_dm1", "delay_pro"])
    separate, modular = figure.subfigs[0].axes
    assert [text.get_text() for text in modular.get_xticklabels()] == ["T5", "T1"]
    table = opened.performance
    for axes, kind in ((separate, "separate"), (modular, "molap")):
        own = table[(table.strategy == kind) & table.source.isin(["-", "cca"])]
        means = [own[own.task == task].accuracy.mean() for task in ("mem_dm1", "delay_pro")]
        np.testing.assert_allclose([bar.get_height() for bar in axes.patches], means)
    assert len(figure.subfigs) == 1  # the task in detail is not among those that were asked for


def test_the_table_of_performance_is_enough_for_the_bars(opened, tmp_path):
    for name in ("configuration.json", "tables/performance.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(opened.folder / name, tmp_path / name)
    with pytest.warns(UserWarning, match=r"is not finished: 13 of 14 tables are missing"):
        run = molap.open(tmp_path)
    assert len(molap.figures.fig2(run).subfigs) == 1 and len(molap.figures.fig2(opened).subfigs) == 3


def test_a_mean_over_some_tasks_is_taken_over_these(opened):
    figure = molap.figures.fig4(opened, kinds=["molap-cca"], tasks=["delay_pro"])
    axes = figure.axes[0]
    assert axes.get_title(loc="left") == "mean over T1"
    table = robustness(opened.cells.query("source == 'cca' and task == 'delay_pro'"))
    rows = table[(table.task == "all") & (table.perturbation == "module1")]
    np.testing.assert_allclose(axes.lines[0].get_ydata(), rows.groupby("strength").accuracy.mean())


def test_curves_have_a_row_per_task_and_a_column_per_perturbation(opened):
    figure = molap.figures.curves(opened, perturbations=["noise", "silence"])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["T1", "T1", "T7", "T7"]
    assert len(molap.figures.fig_matched(opened, kinds=["separate"]).axes) == 2
    assert len(molap.figures.fig5(opened, tasks=["delay_pro"]).axes) == 3


def test_the_caller_s_settings_stay_and_a_notebook_can_show_it(opened):
    before = dict(matplotlib.rcParams)
    figure = molap.figures.fig1c(opened)
    assert dict(matplotlib.rcParams) == before
    assert figure._repr_png_().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda run: molap.figures.fig2(run, kinds=["ica"]), "kinds: 'ica' is not allowed; .* has separate, molap-cca"),
        (lambda run: molap.figures.fig2(run, kinds="separate"), r"kinds: 'separate' is not allowed; give a list"),
        (lambda run: molap.figures.fig2(run, tasks=[]), "tasks: an empty list is not allowed"),
        (lambda run: molap.figures.fig2(run, tasks=["mem_dm1"] * 2), "tasks: .* is not allowed; name each once"),
        (lambda run: molap.figures.fig1c(run="results/tiny"), "run: 'results/tiny' is not allowed; give molap.open"),
        (lambda run: molap.figures.fig2("results/tiny"), "run: 'results/tiny' is not allowed; give molap.open"),
        (
            lambda run: molap.figures.fig2(run, example="delay_pro"),
            "example: 'delay_pro' .* examples of context_mem_dm1",
        ),
        (lambda run: molap.figures.fig4(run, tasks=["mem_dm1"]), "tasks: 'mem_dm1' .* delay_pro, context_mem_dm1"),
        (lambda run: molap.figures.curves(run, perturbations=["flip"]), "perturbations: 'flip' is not allowed"),
        (lambda run: molap.figures.fig5(run, tasks=["mem_pro"]), "tasks: 'mem_pro' is not allowed"),
    ],
)
def test_what_the_run_does_not_have_is_refused_in_one_line(opened, draw, message):
    with pytest.raises(ConfigError, match=message) as refused:
        draw(opened)
    assert "\n" not in str(refused.value)


def test_another_figure_does_not_exist():
    with pytest.raises(AttributeError, match="no attribute 'fig9'; figures of a run are fig1c, fig2"):
        _ = molap.figures.fig9
    assert {"fig2", "curves"} <= {*dir(molap.figures)}
