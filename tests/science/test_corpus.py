"""The stacked corpus: its channels, what its tasks share, and what leaving tasks out removes."""

import numpy as np
import pytest
from corpora import N_TRIALS, corpus, samples_of, tasks_named

from molap.config.base import ConfigError
from molap.config.run import parse_config
from molap.config.tasks import TASK_NAMES
from molap.primitives.fit import fit_cca
from molap.tasks.corpus import channel_names


def target_channel(batch, name):
    return np.asarray(batch.targets[..., channel_names(tasks_named())[1].index(name)])


@pytest.mark.parametrize("is_aligned", [True, False])
def test_corpus_layout(is_aligned):
    batch = corpus(is_aligned)
    inputs, targets = channel_names(tasks_named())
    assert batch.inputs.shape == (110, N_TRIALS, 25) and len(inputs) == len(set(inputs)) == 25
    assert batch.targets.shape == (110, N_TRIALS, 22) and len(targets) == len(set(targets)) == 22
    assert [name for name in targets if name.startswith("mem_dm1:")] == ["mem_dm1:fixation", "mem_dm1:choice"]
    fixation = [target_channel(batch, f"{name}:fixation") for name in TASK_NAMES if name != "multi_mem"]
    for other in fixation[1:]:
        np.testing.assert_array_equal(other, fixation[0])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("context_mem_dm1:choice", "mem_dm1:choice"),
        ("context_mem_dm2:choice", "mem_dm2:choice"),
        ("delay_pro:cos", "mem_pro:cos"),
        ("delay_anti:sin", "mem_anti:sin"),
    ],
)
@pytest.mark.parametrize("resample", [False, True])
def test_aligned_corpus_shares_its_angles(one, other, resample):
    batch = corpus(resample=resample)
    np.testing.assert_array_equal(target_channel(batch, one), target_channel(batch, other))


def test_aligned_corpus_does_not_share_its_noise(aligned):
    names = channel_names(tasks_named())[0]
    one, other = (aligned.inputs[..., names.index(f"{name}:cos")] for name in ("delay_pro", "delay_anti"))
    difference = np.asarray(one - other)
    assert difference.std() == pytest.approx(0.002 / 2 * np.sqrt(2), rel=0.05)


def test_independent_corpus_does_not_share_its_angles(independent):
    one, other = (target_channel(independent, f"{name}:choice") for name in ("context_mem_dm1", "mem_dm1"))
    assert abs(np.corrcoef(one[-1], other[-1])[0, 1]) < 0.3


@pytest.mark.parametrize("left_out", [("context_mem_dm1",), ("multi_mem", "delay_pro")])
def test_leaving_tasks_out_removes_their_channels(left_out):
    kept = tuple(name for name in TASK_NAMES if name not in left_out)
    full, smaller = (corpus(names=names, input_noise=0.0) for names in (TASK_NAMES, kept))
    for side, values in enumerate(smaller):
        all_names, names = channel_names(tasks_named())[side], channel_names(tasks_named(kept))[side]
        assert not [name for name in names if name.split(":")[0] in left_out]
        columns = [i for i, name in enumerate(all_names) if name.split(":")[0] not in left_out]
        assert values.shape[-1] == len(names) == len(columns) < len(all_names)
        np.testing.assert_array_equal(values, full[side][..., np.array(columns)])


def test_leaving_a_task_out_changes_the_components(aligned_cca):
    kept = tuple(name for name in TASK_NAMES if name != "multi_mem")
    fitted = fit_cca(*samples_of(corpus(names=kept)))
    assert len(fitted.correlations) == 5 and len(aligned_cca.correlations) == 6
    assert fitted.inputs.weights.shape[0] == 22 and fitted.targets.weights.shape[0] == 20


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"tasks": {"names": "mem_pro"}}, "tasks.names"),
        ({"tune": {"tasks": "mem_pro"}}, "tune.tasks"),
        ({"primitives": {"sources": "cca"}}, "primitives.sources"),
        ({"tasks": {"modules": "more_tasks.py"}}, "tasks.modules"),
    ],
)
def test_one_bare_string_is_no_list_of_names(values, field):
    """In the released code a string became the set of its letters, so that no task was left out."""
    with pytest.raises(ConfigError, match=rf"^{field}: .*give a list"):
        parse_config(values)
