"""The report of the tiny run, made by the documented command, in a browser that has no network."""

import json
import re

import pandas as pd
import pytest
from browser import chromium

from molap.config.run import read

pytestmark = pytest.mark.services

PICTURE = "img => img.complete && img.naturalWidth > 300 && img.naturalHeight > 100"


@pytest.fixture(scope="module")
def run(finished, tmp_path_factory):
    """A copy of the finished run, with its report."""
    copy = finished.copy(tmp_path_factory.mktemp("report") / "run")
    result = copy.run("--report", "report.html")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "WARNING" not in result.stderr and "Missing metadata" not in result.stderr
    return copy


@pytest.fixture(scope="module")
def page(run):
    """The opened report; at the end, nothing was fetched and nothing went wrong."""
    report = (run.folder / "report.html").as_uri()
    fetched, errors = [], []
    with chromium(viewport={"width": 1400, "height": 900}, offline=True) as context:
        context.on("request", lambda r: None if r.url.startswith((report, "data:")) else fetched.append(r.url))
        context.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: errors.append(str(error.error)))
        opened = context.new_page()
        opened.goto(report)
        side(opened).wait_for()
        yield opened
    assert fetched == [] and errors == []


def side(page):
    """The bar with the menu, lists of results and captions."""
    return page.locator("nav").first


def home(page):
    """Back to the menu and the overview."""
    page.evaluate("app.setView({navbarMode: 'menu', content: 'rulegraph'})")


def menu(page):
    """Back to the menu alone: the overview draws the graph of rules each time, which takes a busy machine long."""
    page.evaluate("app.setView({navbarMode: 'menu'})")


def listed(page, category):
    """The rows of a category, reached through the menu."""
    menu(page)
    side(page).get_by_text(category, exact=True).click()
    rows = side(page).locator("tbody tr")
    rows.first.wait_for()
    return rows


def caption(page, row):
    """What the second button of a result shows."""
    row.locator("a, button").nth(1).click()
    side(page).get_by_text("Description").wait_for()
    return side(page).inner_text()


def results(page):
    """Path → what the report holds of it."""
    return page.evaluate("results")


def test_the_overview_tells_what_it_is_about_beside_the_workflow(page):
    home(page)
    text = page.locator("#app .prose").inner_text()
    assert "Modular latent primitives" in text and "A corpus of 3 tasks" in text and "2 network seeds" in text
    graph = page.locator("#rulegraph canvas, #rulegraph svg").first
    graph.wait_for()
    assert graph.bounding_box()["height"] > 300
    stages = {node["rule"] for node in page.evaluate("rulegraph_spec.data[0].values")}
    assert stages >= {"corpus", "primitives", "module", "head", "separate", "sequence", "performance", "fig2"}
    page.locator("#app .prose").get_by_text("Figures of the paper").click()
    side(page).get_by_text("Fig 2: performance").wait_for()


@pytest.mark.parametrize("category", ["Figures of the paper", "Further figures"])
def test_every_figure_is_shown_with_reading_and_seeds(page, run, category):
    figures = {path for path in page.evaluate("c => Object.values(categories[c]).flat()", category)}
    assert figures and all(path.endswith(".png") for path in figures)
    shown = set()
    for i in range(len(figures)):
        row = listed(page, category).nth(i)
        row.locator("a, button").first.click()
        picture = page.locator("#app img[src^='data:image/png']").first
        picture.wait_for()
        page.wait_for_function(f"({PICTURE})(document.querySelector(`#app img[src^='data:image/png']`))")
        shown.add(picture.get_attribute("src"))
        text = caption(page, row)
        assert re.search(r"Reading: \w+\.\w+ ", text) and "{{" not in text
        assert "2 network seeds" in text or "do not depend on seeds" in text
    assert len(shown) == len(figures)


def test_all_figures_of_the_run_are_in_the_report(page, run):
    there = {f"results/tiny/figures/{path.name}" for path in (run.folder / "results/tiny/figures").glob("*.png")}
    assert {path for path in results(page) if path.endswith(".png")} == there


def open_page(page, category, name):
    """A page of the report, inside its frame."""
    listed(page, category).filter(has_text=re.compile(f"^{re.escape(name)}")).locator("a, button").first.click()
    frame = page.frame_locator("#app iframe")
    frame.locator("h1").wait_for()
    return frame


def test_the_claims_are_a_page_with_their_verdicts_and_figures(page, run):
    frame = open_page(page, "Claims", "The paper's claims: verdicts")
    frame.get_by_role("heading", name="The paper's claims").wait_for()
    assert frame.locator("table").first.locator("tbody tr").count() == frame.locator("details[id^=claim]").count() == 20
    assert frame.locator("details#claim2 details[open]").count() == 0
    ways = frame.locator("details#claim2 details summary").all_text_contents()
    assert ways[0] == "By decision_accuracy" and set(ways[1:]) <= {"Without networks that failed"}
    claim = frame.locator("details#claim6")
    assert claim.get_attribute("open") is not None and "does not hold" in claim.locator("summary").inner_text()
    assert claim.locator(".figure.fig1c").bounding_box()["height"] > 100


def test_every_table_can_be_read_searched_and_sorted(page, run):
    tables = {path.stem for path in (run.folder / "results/tiny/tables").glob("*.csv")}
    tables -= {"curves", "claims", "claim_parts"}
    assert len(tables) > 8
    for name in sorted(tables):
        rows = pd.read_csv(run.folder / f"results/tiny/tables/{name}.csv")
        frame = open_page(page, "Tables", name)
        frame.get_by_role("heading", name=f"Table: {name}").wait_for()
        assert frame.locator("tbody tr").count() == len(rows)
    assert "results/tiny/tables/curves.csv" in results(page)
    frame = open_page(page, "Tables", "performance")
    frame.get_by_role("searchbox").fill("molap mem_dm1 pca")
    assert frame.locator(".count").inner_text() == "4 of 36 rows"
    frame.get_by_role("searchbox").fill("")
    head = frame.get_by_role("columnheader", name="accuracy", exact=True)
    column = head.evaluate("head => head.cellIndex")
    for step in (1, -1):
        head.click()
        cells = frame.locator(f"tbody tr td:nth-child({column + 1})").all_inner_texts()
        values = [float(cell) for cell in cells]
        assert values == sorted(values)[::step]


def test_the_settings_stand_beside_the_preset_s(page):
    frame = open_page(page, "Provenance", "Settings")
    row = frame.locator("tr", has_text="heads.n_steps")
    assert [cell.strip() for cell in row.locator("td").all_inner_texts()][:3] == ["heads.n_steps", "8", "1000"]
    assert "strong" in row.get_attribute("class")
    assert frame.locator("tbody tr").count() == frame.locator(".count").evaluate("c => parseInt(c.innerText)")
    assert frame.locator("tr.strong", has_text="evaluation.criterion").count() == 0


def test_provenance_tells_times_versions_machines_and_digests(page, run):
    frame = open_page(page, "Provenance", "Time, memory, versions, digests")
    text = frame.locator("body").inner_text()
    record = json.loads((run.folder / "results/tiny/networks/s0-1/reservoir.record.json").read_text())
    for found in (record["versions"]["jax"], record["code"], record["machine"]["processor"], "Network seeds: 0, 1"):
        assert found in text
    seeds = read(run.folder / "tiny.yaml").seeds
    assert f"seed of corpus, batches and test sets: {seeds.data}" in text
    records = list((run.folder / "results/tiny").rglob("*.record.json"))
    ends = {"claims", "claims_page", "pages", "provenance"}  # what no table or figure is made from
    assert int(re.search(r"(\d+) jobs", text)[1]) == len(records) - len(ends)
    stages = frame.locator("section").first.locator("tbody tr")
    assert stages.count() > 30 and stages.first.inner_text().split()[0] == "all"
    head = stages.filter(has_text=re.compile("^head")).inner_text().split()
    assert int(head[1]) == 11 and float(head[-1].replace(",", "")) > 50


def test_the_run_is_an_ro_crate_by_the_documented_command(run):
    pytest.importorskip("snakemake_report_plugin_fairscape", reason="the extra `crate` is not installed")
    result = run.run("--reporter", "fairscape", "--report-fairscape-license", "https://spdx.org/licenses/MIT")
    assert result.returncode == 0, result.stdout + result.stderr
    crate = json.loads((run.folder / "ro-crate-metadata.json").read_text())
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    root = entities[entities["ro-crate-metadata.json"]["about"]["@id"]]
    assert root["license"] == "https://spdx.org/licenses/MIT"
    names = {entity["@id"] for entity in root["hasPart"]}
    assert names <= entities.keys()
    text = json.dumps(crate)
    for output in ("figures/fig2.png", "tables/performance.csv", "networks/s0-1/molap-cca/mem_dm1.npz"):
        assert f"results/tiny/{output}" in text
