"""The style checker finds what the rules name, where it is, and leaves code alone."""

import importlib.util

import pytest
from workflow_helpers import REPOSITORY

pytest.importorskip("proselint", reason="needs the extra `test`")

PAGE = """# A page

The files are made anew. Here `made anew` is code.

```sh
hence
```

Of the four, one is the the best, and it is
very unique.
"""
PROGRAM = '''"""Return what it hence finds.

Those that differ are named.
"""

NAME = "hence"
MESSAGE = "this is, in order to be clear, a message"  # hence a comment
'''


@pytest.fixture(scope="module")
def style():
    found = importlib.util.spec_from_file_location("style_check", REPOSITORY / "docs" / "style" / "check.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("page.md", PAGE, {(3, "made anew"), (9, "Of the"), (9, "repeated"), (10, "unique")}),
        ("program.py", PROGRAM, {(1, "hence"), (3, "Those that"), (7, "in order to"), (7, "hence")}),
    ],
)
def test_each_place_is_found_with_its_line(style, tmp_path, monkeypatch, name, text, expected):
    monkeypatch.setattr(style, "REPOSITORY", tmp_path)
    (tmp_path / name).write_text(text)
    found = list(style.found_in(tmp_path / name, style.checks()))
    assert {line for _, line, _ in found} == {line for line, _ in expected}, found
    for line, words in expected:
        assert any(at == line and words in message for _, at, message in found), (line, words, found)


def test_long_lines_are_found_but_for_tables_and_links(style, tmp_path, monkeypatch):
    monkeypatch.setattr(style, "REPOSITORY", tmp_path)
    long = "word " * 26
    (tmp_path / "page.md").write_text(f"{long}\n\n| {long} |\n\n![{long}](a.png)\n\n[word]({'a' * 150})\n")
    assert [(line, message) for _, line, message in style.found_in(tmp_path / "page.md", [])] == [
        (1, "129 characters; at most 120 [length]")
    ]


def test_of_the_files_that_a_hook_gives_pages_of_tables_are_left_out(style):
    given = [str(REPOSITORY / "docs" / name) for name in ("method.md", "reference/verdicts.md")]
    assert style.files(given) == [REPOSITORY / "docs" / "method.md"]
    assert {path.name for path in style.files([])} >= {"method.md", "README.md", "conftest.py"}
