"""The picture of the model shows what training trains: each coloured block is one of the masks."""

import importlib.util

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle
from workflow_helpers import REPOSITORY


@pytest.fixture(scope="module")
def pictures():
    found = importlib.util.spec_from_file_location("pictures", REPOSITORY / "docs" / "pictures.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_what_is_coloured_is_what_a_phase_trains(pictures):
    figure = pictures.model()
    panels = [axes for axes in figure.axes if any(isinstance(patch, Rectangle) for patch in axes.patches)]
    assert len(panels) == 3
    half, n = pictures.N // 2, pictures.N
    expected = ((0, 0, half, half), (half, half, half, half), None)
    for axes, block, colour in zip(panels, expected, (*pictures.MODULES, pictures.INK), strict=True):
        coloured = [
            (*patch.get_xy(), patch.get_width(), patch.get_height())
            for patch in axes.patches
            if np.allclose(patch.get_facecolor(), to_rgba(colour))
        ]
        w_in, w_out = (-pictures.N_IN - 1, 0, pictures.N_IN, n), (0, -pictures.N_OUT - 1, n, pictures.N_OUT)
        assert sorted(coloured) == sorted([w_in, w_out, *([block] if block else [])])
