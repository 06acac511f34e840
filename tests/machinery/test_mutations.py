"""The benchmark that breaks the code finds what it is to break."""

from pathlib import Path

import pytest
from mutations import MUTATIONS
from workflow_helpers import REPOSITORY


@pytest.mark.parametrize("what", MUTATIONS)
def test_every_mutation_fits_the_code_and_names_tests_that_exist(what):
    file, old, new, tests = MUTATIONS[what]
    assert (REPOSITORY / "molap" / file).read_text().count(old) == 1 and old != new
    assert all(Path(REPOSITORY, "tests", name).exists() for name in tests.split())
