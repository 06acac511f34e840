"""Corpora and a fit that several files of tests look at."""

import pytest
from corpora import corpus, samples_of

from molap.primitives.fit import fit_cca


@pytest.fixture(scope="session")
def aligned():
    """A corpus whose tasks share their conditions."""
    return corpus()


@pytest.fixture(scope="session")
def independent():
    """A corpus whose tasks have conditions of their own."""
    return corpus(aligned=False)


@pytest.fixture(scope="session")
def aligned_cca(aligned):
    """The canonical correlations of the first."""
    return fit_cca(*samples_of(aligned))
