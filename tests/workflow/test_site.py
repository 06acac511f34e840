"""The site: it builds without a warning, loads nothing from the network, and its links lead somewhere."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from browser import chromium
from workflow_helpers import REPOSITORY

from molap.cli.main import COMMANDS

LOADED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "link": "href"}
"""By tag, the attribute that names what a browser loads to show the page."""


class Page(HTMLParser):
    """What a page loads, where its links lead, and the places to which others can lead."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attributes}
        if LOADED.get(tag) in of:
            self.loaded.append(of[LOADED[tag]])
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        self.places |= {of[name] for name in ("id", "name") if name in of}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="needs the extra `docs`")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", REPOSITORY / "docs", folder]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {file: Page(file) for file in site.rglob("*.html")}


@pytest.mark.exhaustive
def test_a_page_loads_nothing_from_the_network(site, pages):
    loaded = [(file, source) for file, page in pages.items() for source in page.loaded]
    loaded += [
        (file, source)
        for file in site.rglob("*.css")
        for source in re.findall(r"(?:url\(|@import )[\"']?([^\"')]+)", file.read_text(encoding="utf-8"))
    ]
    loaded = [(file, source) for file, source in loaded if source != "#"]
    assert len(loaded) > 100
    elsewhere = [pair for pair in loaded if urlsplit(pair[1]).scheme not in ("", "data") or pair[1].startswith("//")]
    assert elsewhere == []
    missing = [
        (file, source)
        for file, source in loaded
        if not urlsplit(source).scheme and not (file.parent / unquote(urlsplit(source).path)).is_file()
    ]
    assert missing == []


@pytest.mark.exhaustive
def test_every_link_within_the_site_leads_to_a_place_that_exists(pages):
    lost, followed = [], 0
    for file, page in pages.items():
        for link in page.links:
            to = urlsplit(link)
            if to.scheme or to.netloc or link == "#":
                continue
            target = (file.parent / unquote(to.path)).resolve() if to.path else file
            followed += 1
            there = pages[target].places if target in pages else set()
            if not target.is_file() or (to.fragment and unquote(to.fragment) not in there):
                lost.append((file.name, link))
    assert followed > 1000 and lost == []


@pytest.mark.exhaustive
def test_docstrings_are_shown_as_they_were_meant(site):
    text = re.sub(r"<[^>]+>", "", (site / "api.html").read_text(encoding="utf-8"))
    assert "Alias for field number" not in text, "a field has no docstring"
    for name in ("Type:", "Return type:"):
        assert name not in text, "a first sentence holds a colon, which Sphinx takes for the end of a type"
    commands = re.sub(r"<[^>]+>", "", (site / "command-line.html").read_text(encoding="utf-8"))
    assert not re.search(r"\s–\w", commands), "the dashes of an option outside of code have become one"


def test_the_page_on_the_command_line_names_every_command():
    page = (REPOSITORY / "docs" / "command-line.rst").read_text(encoding="utf-8")
    shown = re.findall(r"^\.\. click:: (\S+)\n   :prog: molap (\S+)$", page, re.MULTILINE)
    assert [(name, place) for place, name in shown] == [
        (name, place) for commands in COMMANDS.values() for name, (place, _) in commands.items()
    ]


def test_the_graph_of_jobs_shows_its_source():
    images = REPOSITORY / "docs" / "images"
    source = (images / "from_configuration_to_fig2.mmd").read_text(encoding="utf-8")
    drawn = (images / "from_configuration_to_fig2.svg").read_text(encoding="utf-8")
    words = {word for label in re.findall(r"\[\"?([^\]\"]+)\"?\]", source) for word in label.split()}
    assert len(words) > 20
    assert words - set(re.sub(r"<[^>]+>", " ", drawn).replace("&#39;", "'").split()) == set()


@pytest.mark.services
def test_a_page_from_the_disk_is_searched_without_a_network(site):
    with chromium(offline=True) as context:
        page = context.new_page()
        page.goto(f"file://{site}/index.html")
        page.fill("input[name=q]", "lesion")
        page.keyboard.press("Enter")
        page.wait_for_selector("#search-results li a")
        assert "Lesions" in page.inner_text("#search-results")
