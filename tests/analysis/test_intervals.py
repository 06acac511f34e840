"""The interval over network seeds against SciPy's, which is computed from the values themselves."""

import numpy as np
import pytest
from scipy import stats

from molap.analysis.intervals import half_width


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.995])
def test_half_the_width_is_that_of_scipys_interval(n, confidence):
    values = np.random.default_rng(n).normal(5, 2, n)
    low, high = stats.ttest_1samp(values, 0).confidence_interval(confidence)
    assert half_width(values.std(ddof=1), n, confidence) == pytest.approx((high - low) / 2, rel=1e-12)


def test_many_at_once_and_none_of_a_single_network():
    found = half_width(np.array([2.0, 2.0, np.nan]), np.array([4, 1, 0]))
    assert found[0] == pytest.approx(3.1824463, abs=1e-6) and np.isnan(found[1:]).all()  # t of 3 degrees: 3.182446
