"""Compute intervals of means over network seeds, by Student's t."""

from numbers import Real
from typing import TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

CONFIDENCE = 0.95
Numbers: TypeAlias = Real | np.ndarray | pd.Series


def half_width(sd: Numbers, n: Numbers, confidence: float = CONFIDENCE) -> Numbers:
    """Return half the width of a mean's interval, t · s/√n with n − 1 degrees of freedom; missing for n < 2.

    Args:
        sd: standard deviation over networks, with n − 1 in the denominator; a number or several.
        n: number of networks, of the same shape.
        confidence: confidence level of the interval, between 0 and 1.
    """
    sd, n = np.asarray(sd, float), np.asarray(n, float)
    several = np.where(n > 1, n, np.nan)
    return stats.t.ppf((1 + confidence) / 2, several - 1) * sd / np.sqrt(several)
