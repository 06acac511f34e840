"""Tracking beside a real run of the tiny workflow, and what MLflow's UI shows of it in a browser."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from browser import chromium
from servers import free_port
from tracked_results import active_runs, sync
from workflow_helpers import Scratch

from molap.config.tracking import TrackingSettings
from molap.tracking.query import best, difference
from molap.tracking.where import compare_links, link, place

TESTSET = "results/tiny/testsets/mem_dm1.npz"
POPUPS_SEEN = """
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
localStorage.setItem('mlflow.workflowType_v1', '"machine_learning"');
"""


def tracked(folder: Path, **settings) -> Scratch:
    scratch = Scratch(folder)
    scratch.set(tracking={"enabled": True, "interval_s": 2} | settings)
    scratch.set(dni={"kinds": []}, perturbations={"kinds": [], "tasks": None})
    scratch.set(tasks={"names": ["mem_dm1", "context_mem_dm1"]}, generalisation={"left_out": [["mem_dm1"]]})
    return scratch


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    scratch = tracked(tmp_path_factory.mktemp("tracked"))
    result = scratch.run()
    assert result.returncode == 0, result.stdout + result.stderr
    scratch.output = result.stdout + result.stderr
    return scratch


@pytest.fixture(scope="module")
def table(finished):
    return active_runs(finished.folder / "results")


@pytest.mark.exhaustive
def test_every_stage_is_there_and_the_link_is_printed(finished, table):
    records = list((finished.folder / "results" / "tiny").rglob("*.record.json"))
    assert table["tags.job"].nunique() == len(records) == 65 and set(table.status) == {"FINISHED"}
    assert "tracking: look at the runs with molap ui, then http://127.0.0.1:5000/#/" in finished.output
    assert sync(finished.folder / "results")[1].startswith("0 jobs"), "nothing is left to bring in"
    evaluations = table[table["tags.stage"] == "evaluation"]
    assert len(evaluations) == 2 * (4 * 2 + 2) and evaluations["metrics.test/accuracy"].notna().all()
    rows = json.loads((finished.folder / "results/tiny/evaluation/s0-1/molap-cca/mem_dm1.json").read_text())
    of_pair = evaluations[(evaluations["tags.kind"] == "molap-cca") & (evaluations["tags.task"] == "mem_dm1")]
    assert set(of_pair["tags.run"]) == {"tiny", "tiny/without/mem_dm1"}
    assert set(of_pair["tags.left_out"].dropna()) == {"mem_dm1"}
    of_pair = of_pair[of_pair["tags.run"] == "tiny"]
    found = of_pair.set_index("tags.network_seeds")["metrics.test/accuracy"]
    assert [found["0"], found["1"]] == [row["accuracy"] for row in rows]


@pytest.mark.exhaustive
def test_figures_tables_and_the_configuration_are_artifacts(finished, table):
    def names(stage):
        folder = Path(table[table["tags.stage"] == stage].artifact_uri.iloc[0].removeprefix("file://"))
        return {path.name for path in folder.iterdir()}

    figures = {path.name for path in (finished.folder / "results/tiny/figures").glob("fig2*")}
    assert names("fig2") == {name for name in figures if ".record." not in name} | {"record.json", "configuration.json"}
    assert {"fig2.png", "fig2.svg"} < figures
    assert names("performance") == {"performance.csv", "record.json", "configuration.json"}
    assert names("head") == {"record.json", "configuration.json"}


@pytest.mark.exhaustive
def test_the_command_line_answers(finished):
    def ask(*words):
        command = [sys.executable, "-m", "molap.tracking", *words]
        result = subprocess.run(command, cwd=finished.folder, env=finished.environment, capture_output=True, text=True)
        return result.returncode, result.stdout + result.stderr

    where = place(TrackingSettings(), finished.folder / "results")
    code, text = ask("best", "-n", "1", "--task", "mem_dm1")
    (top,) = best(where, n=1, task="mem_dm1").itertuples(index=False)
    assert code == 0 and top.run_id in text and text.count("\n") == 2
    code, text = ask("latest", "--stage", "head", "--source", "pca", "-n", "4")
    assert code == 0 and text.count("head") == 4 and text.count("molap-pca") == 4
    jobs = [f"tiny/networks/s0-1/molap-{source}/mem_dm1:seed0" for source in ("cca", "pca")]
    code, text = ask("diff", *jobs)
    assert code == 0 and "params.source" in text and "params.task" not in text
    assert "/#/compare-runs?" in text and "compareRunsMode=CHART" in text
    assert set(difference(where, *jobs)[0].field) > {"params.source", "metrics.train/mse"}
    for words, complaint in (
        (("best", "--metric", "nonsense"), "no run holds the metric 'nonsense'; there are "),
        (("latest", "--task", "nonsense"), "no run in experiment 'molap' fits (task=nonsense)"),
        (("diff", "a", "b"), "there is no run 'a'"),
        (("compare", "tiny", "other"), "fits (stage=configuration, preset=other)"),
    ):
        code, text = ask(*words)
        assert code == 1 and complaint in text and text.count("\n") == 1, text


@pytest.fixture(scope="module")
def ui(finished):
    port = free_port()
    command = [sys.executable, "-m", "molap.tracking", "ui", "--port", str(port)]
    process = subprocess.Popen(command, cwd=finished.folder, env=finished.environment, stderr=subprocess.PIPE)
    base = f"http://127.0.0.1:{port}"
    try:
        deadline = time.time() + 120
        while time.time() < deadline:
            try:
                urllib.request.urlopen(f"{base}/health", timeout=2).close()
                break
            except OSError:
                time.sleep(0.2)
        yield base
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def browser(ui):
    outside = []
    with chromium(viewport={"width": 1600, "height": 900}) as context:
        context.add_init_script(POPUPS_SEEN)
        context.on("request", lambda r: None if r.url.startswith((ui, "data:", "blob:")) else outside.append(r.url))
        yield context
    assert outside == []


@pytest.mark.services
def test_the_saved_view_lists_the_stages_with_their_accuracy(ui, browser, table):
    page = browser.new_page()
    page.goto(link(ui, "1", "stages"))
    page.get_by_text("You're viewing a shared view").wait_for()
    page.get_by_text(f"{len(table)} matching runs").wait_for()
    run = table[table["tags.mlflow.runName"] == "evaluation molap-cca T7 context_mem_dm1 seed 1"].iloc[0]
    page.locator(".ag-row").get_by_text(run["tags.mlflow.runName"], exact=True).wait_for()
    row = page.locator(".ag-row", has_text=run["tags.mlflow.runName"]).first.get_attribute("row-id")
    cell = page.locator(f".ag-row[row-id='{row}'] [col-id='metrics.`test/accuracy`']")
    assert abs(float(cell.inner_text()) - run["metrics.test/accuracy"]) < 1e-3
    assert page.locator(f".ag-row[row-id='{row}'] [col-id='tags.`stage`']").inner_text() == "evaluation"
    page.close()


@pytest.mark.services
def test_the_view_over_seeds_shows_the_mean_of_each_network_kind(ui, browser, table):
    page = browser.new_page()
    page.goto(link(ui, "1"))
    page.get_by_text("You're viewing a shared view").wait_for()
    for run in ("tiny", "tiny/without/mem_dm1"):
        group = f"tag.run.{run},tag.task.mem_dm1,tag.kind.molap-pca"
        cell = page.locator(f".ag-row[row-id='{group}'] [col-id='metrics.`test/accuracy`']")
        cell.wait_for()
        chosen = (table["tags.kind"] == "molap-pca") & (table["tags.task"] == "mem_dm1") & (table["tags.run"] == run)
        mean = table[chosen]["metrics.test/accuracy"].mean()
        assert abs(float(cell.inner_text().split()[0].rstrip("…")) - mean) < 1e-3
    assert page.locator(".ag-center-cols-container .ag-row").count() == 8 + 2, "groups are not folded"
    page.close()


@pytest.mark.services
def test_two_runs_are_compared_by_parameters_and_curves(ui, browser, table):
    heads = table[(table["tags.stage"] == "head") & (table["tags.task"] == "mem_dm1") & (table["tags.run"] == "tiny")]
    heads = heads.set_index("tags.source")
    ids = [heads[heads["tags.network_seeds"] == "0"].loc[source, "run_id"] for source in ("cca", "pca")]
    difference_page, curves_page = compare_links(ui, "1", ids)
    page = browser.new_page()
    page.goto(difference_page)
    page.get_by_text("Comparing 2 Runs from 1 Experiment").wait_for()
    page.get_by_text("Show diff only").first.click()
    row = page.locator("table tr", has=page.locator("th", has_text="source")).first
    row.wait_for()
    assert [cell.strip() for cell in row.locator("th, td").all_inner_texts()] == ["source", "cca", "pca"]
    page.goto("about:blank")
    page.set_viewport_size({"width": 1600, "height": 2400})  # charts are drawn once they are in view
    page.goto(curves_page)
    page.get_by_text("2 matching runs").wait_for()
    for metric in ("train/loss", "train/mse"):
        card = page.get_by_test_id("experiment-view-compare-runs-card").filter(has_text=metric).first
        card.locator(".js-plotly-plot .main-svg").first.wait_for()
        drawn = card.evaluate("c => c.querySelector('.js-plotly-plot').data.map(t => [t.name, t.x.length])")
        assert {tuple(line) for line in drawn} == {(f"head molap-{s} T5 mem_dm1 seed 0", 8) for s in ("cca", "pca")}
    page.close()


@pytest.mark.exhaustive
def test_switched_off_nothing_of_mlflow_is_needed(tmp_path):
    scratch = Scratch(tmp_path / "off")
    (scratch.folder / "mlflow.py").write_text("raise ImportError('MLflow was imported')")
    result = scratch.run(TESTSET)
    assert result.returncode == 0 and "tracking" not in result.stdout + result.stderr
    assert not (scratch.folder / "results/mlflow").exists() and not (scratch.folder / "results/.tracking").exists()


@pytest.mark.exhaustive
def test_without_its_server_the_workflow_goes_on_and_warns_once(tmp_path):
    scratch = tracked(tmp_path / "away", uri="http://127.0.0.1:9")
    result = scratch.run(TESTSET)
    assert result.returncode == 0 and (scratch.folder / TESTSET).exists()
    warnings = [line for line in result.stderr.splitlines() if line.startswith("tracking:")]
    assert len(warnings) == 1 and "http://127.0.0.1:9 does not answer" in warnings[0] and "sync" in warnings[0]
    assert sync(scratch.folder / "results")[1].startswith("1 jobs")


@pytest.mark.exhaustive
def test_a_failed_job_is_shown_with_stage_seed_and_the_end_of_its_log_until_it_succeeds(tmp_path):
    scratch = tracked(tmp_path / "failing")
    scratch.edit("molap/stages/reservoir.py", "    settings = job.settings\n", "    raise ValueError('no luck')\n")
    reservoir = "results/tiny/networks/s0-1/reservoir.npz"
    assert scratch.run(reservoir).returncode == 1
    (failed,) = active_runs(scratch.folder / "results").to_dict("records")
    assert failed["status"] == "FAILED" and failed["tags.stage"] == "reservoir"
    assert failed["tags.network_seeds"] == "0,1" and failed["tags.error"] == "ValueError: no luck"
    note = failed["tags.mlflow.note.content"]
    assert (
        "network seeds 0, 1" in note and "Traceback" in note and "results/tiny/logs/networks/s0-1/reservoir.log" in note
    )
    scratch.edit("molap/stages/reservoir.py", "    raise ValueError('no luck')\n", "    settings = job.settings\n")
    assert scratch.run(reservoir).returncode == 0
    (now,) = active_runs(scratch.folder / "results").to_dict("records")
    assert now["status"] == "FINISHED" and now["tags.job"] == failed["tags.job"]


@pytest.mark.exhaustive
def test_a_killed_workflow_and_its_killed_job_are_tracked_all_the_same(tmp_path):
    scratch = tracked(tmp_path / "killed")
    scratch.edit("molap/stages/reservoir.py", "    settings = job.settings\n", "    import time; time.sleep(60)\n")
    process = subprocess.Popen(
        scratch.command(TESTSET, "results/tiny/networks/s0-1/reservoir.npz"),
        cwd=scratch.folder,
        env=scratch.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    results = scratch.folder / "results"
    deadline = time.time() + 120
    while time.time() < deadline and not (
        list(results.glob("tiny/testsets/*.record.json")) and list(results.rglob("reservoir.attempt.json"))
    ):
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    while time.time() < deadline:
        try:
            table = active_runs(results).set_index("tags.stage")
            if sorted(table["status"]) == ["FAILED", "FINISHED"]:
                break
        except LookupError:
            pass
        time.sleep(0.5)
    assert table.loc["testset", "status"] == "FINISHED" and table.loc["reservoir", "status"] == "FAILED"
    assert table.loc["reservoir", "tags.error"].startswith("ended without a word: killed")
