"""Take the screenshots of the documentation from a finished tour: `python docs/screenshots.py`.

It needs the extra `test` (Playwright), a Chromium on the path, the run's MLflow database and its report:

    snakemake --cores all --configfile config/quick.yaml
    snakemake --report report.html --configfile config/quick.yaml
    python docs/screenshots.py
"""

import argparse
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page, sync_playwright

from molap.tracking.where import link

IMAGES = Path(__file__).parent / "images"
WINDOW = {"width": 1400, "height": 900}
NOTICES_SEEN = """
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
localStorage.setItem('mlflow.workflowType_v1', '"machine_learning"');
"""
"""Tell MLflow that its notices have been closed."""
SETTLE_MS = 4000
"""Wait this long for charts to move to their places."""


@contextmanager
def mlflow_ui(results: Path) -> Iterator[str]:
    """Run `molap ui` and yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "molap", "ui", "--port", str(port), "--results", str(results)]
    process = subprocess.Popen(command)
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.time() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=2).close()
                break
            except OSError:
                if time.time() > deadline or process.poll() is not None:
                    raise SystemExit("`molap ui` does not answer") from None
                time.sleep(0.5)
        yield address
    finally:
        process.terminate()
        process.wait()


@contextmanager
def browser() -> Iterator[BrowserContext]:
    """Yield a window of headless Chromium."""
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not program:
        raise SystemExit("there is no Chromium on the path (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = running.new_context(viewport=WINDOW)
        context.set_default_timeout(180_000)
        context.add_init_script(NOTICES_SEEN)
        yield context
        running.close()


def take(page: Page, name: str, **options: Any) -> None:
    """Save what a page shows, once it has settled."""
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=IMAGES / f"{name}.png", **options)
    print(f"docs/images/{name}.png")


def of_mlflow(context: BrowserContext, address: str) -> None:
    """Take the saved views: the table of accuracy, and the training curves."""
    for name, view, mode in (("mlflow_seeds", "seeds", "TABLE"), ("mlflow_curves", "curves", "CHART")):
        page = context.new_page()
        page.goto(link(address, "1", view, mode))
        page.get_by_text("You're viewing a shared view").wait_for()
        page.get_by_text("matching runs").wait_for()
        take(page, name)
        page.close()


def of_report(context: BrowserContext, report: Path) -> None:
    """Take a figure with its caption."""
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    side = page.locator("nav").first
    side.get_by_text("Figures of the paper", exact=True).click()
    row = side.locator("tbody tr").filter(has_text="Fig 4")
    row.locator("a, button").first.click()
    page.locator("#app img[src^='data:image/png']").first.wait_for()
    row.locator("a, button").nth(1).click()
    side.get_by_text("Description", exact=True).wait_for()
    take(page, "report_figure")


def main() -> None:
    """Take all screenshots."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="the folder of results, with its database"
    )
    parser.add_argument(
        "--report", type=Path, default=Path("report.html"), help="what `snakemake --report` has written"
    )
    arguments = parser.parse_args()
    if not arguments.report.is_file():
        raise SystemExit(f"--report: there is no file {arguments.report}; run `snakemake --report {arguments.report}`")
    with mlflow_ui(arguments.results) as address, browser() as context:
        of_mlflow(context, address)
        of_report(context, arguments.report)


if __name__ == "__main__":
    main()
