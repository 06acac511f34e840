"""CITATION.cff names the version of the package. CI checks its form."""

import tomllib

import yaml
from workflow_helpers import REPOSITORY


def test_the_cited_version_is_that_of_the_package():
    cited = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    package = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (cited["version"], cited["license"]) == (package["version"], package["license"])
