"""Build the site from these pages: `sphinx-build -W --keep-going -b html docs docs/_build/html`."""

import os
import re
from importlib import metadata
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

# autodoc rewrites the annotations of pydantic's base class, so every model has to be defined before it starts.
import molap.tracking.query  # noqa: F401

project = "MoLaP"
author = "The MoLaP replication authors"
release = metadata.version("molap")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "style", "templates"]
default_role = "code"  # docstrings mark code with single backquotes

highlight_language = "sh"

myst_heading_anchors = 4  # the names that GitHub gives to headings
nb_execution_mode = "off"  # the notebook holds its outputs

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 90
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = f"MoLaP {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False  # LICENSE says it
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

DOCS = Path(__file__).parent
ELSEWHERE = {
    "configuration": "../config/README.md",
    "outputs": "../results/README.md",
    "contributing": "../CONTRIBUTING.md",
    "changelog": "../CHANGELOG.md",
}
"""Pages of the site whose text lies elsewhere in the repository."""
LINK = re.compile(r"(?<!!)\[(?P<text>[^][]+)\]\((?P<target>[^()\s:#]+)(?P<anchor>#[^()\s]*)?\)")


def join(app: Sphinx, docname: str, source: list[str]) -> None:
    """Take the text of a page from where it lies, and point its links to pages and files of the site."""
    page = DOCS / f"{docname}.md"
    if not page.is_file():
        return
    if docname in ELSEWHERE:
        page = DOCS / ELSEWHERE[docname]
        app.env.note_dependency(str(page.resolve()))
        source[0] = page.read_text(encoding="utf-8")
    here = (DOCS / docname).parent
    names = {(DOCS / file).resolve(): f"{name}.md" for name, file in ELSEWHERE.items()}

    def on_the_site(link: re.Match) -> str:
        target = (page.parent / link["target"]).resolve()
        if target.is_dir():  # a folder is neither a page nor a file to download
            return link["text"]
        target = DOCS / names.get(target, target)
        return f"[{link['text']}]({os.path.relpath(target, here)}{link['anchor'] or ''})"

    source[0] = LINK.sub(on_the_site, source[0])


def shorten(app: Sphinx, domain: str, kind: str, content: nodes.Element) -> None:
    """Call JAX's arrays `Array` in signatures, as the source does."""
    for text in list(content.parent.findall(nodes.Text)):
        if "jaxlib._jax.Array" in text:
            text.parent.replace(text, nodes.Text(text.replace("jaxlib._jax.Array", "Array")))


def show_example(app: Sphinx, context: object, lines: list[str]) -> None:
    """Show the example of a command's help as code, which sphinx-click takes for verse."""
    if "| Example:" in lines:
        start = lines.index("| Example:")
        lines[start] = "Example::"
        for at in range(start + 1, len(lines)):
            if not lines[at].startswith("| "):
                break
            lines[at] = f"    {lines[at][2:].strip()}"
        lines.insert(start + 1, "")


def setup(app: Sphinx) -> None:
    """Connect what this file adds to Sphinx."""
    app.connect("source-read", join)
    app.connect("object-description-transform", shorten)
    app.connect("sphinx-click-process-description", show_example)
