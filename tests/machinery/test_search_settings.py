"""What the search may be asked for, what it tries, and what its jobs depend on."""

import importlib
import json

import pytest
import yaml

from molap.config.base import ConfigError
from molap.config.run import RunConfig, parse_config
from molap.config.tune import Candidate, Grid
from molap.planning.contents import candidates, grids, pretraining_candidates
from molap.planning.document import config_page
from molap.planning.figures import captions
from molap.planning.plan import Plan
from molap.planning.settings import STAGES

AT = {"grid": "grid1", "task": "mem_dm1", "source": "cca"}
JOBS = {
    "modules": ("search_modules", AT),
    "separate": ("search", AT | {"kind": "separate"}),
    "cca": ("search", AT | {"kind": "molap-cca"}),
    "none": ("search", AT | {"kind": "molap-none"}),
    "dni": ("search_sequence", AT | {"kind": "dni-rule"}),
}
ALL = {*JOBS}


def tuned(**tune):
    return parse_config({"tune": tune})


@pytest.mark.parametrize(
    ("tune", "line"),
    [
        ({"grids": []}, "tune.grids: [] is not allowed; give at least one"),
        ({"tasks": []}, "tune.tasks: [] is not allowed; give at least one"),
        ({"kinds": []}, "tune.kinds: [] is not allowed; give at least one"),
        ({"grids": {}}, "tune.grids: {} is not allowed; give a list"),
        (
            {"grids": ["zero"]},
            "tune.grids.0: 'zero' is not allowed; give a section of keys and values, such as readout_init",
        ),
        ({"grids": [{}, {}]}, "tune.grids: grid 2 is grid 1 again; each may appear once"),
        ({"grids": [{"n_step": [5]}]}, "tune.grids.0.n_step: unknown key; allowed are readout_init, learning_rate, "),
        ({"grids": [{"n_steps": []}]}, "tune.grids.0.n_steps: [] is not allowed; give at least one value, each once"),
        ({"grids": [{"n_steps": [5, 5]}]}, "tune.grids.0.n_steps: [5, 5] is not allowed; give at least one value"),
        ({"grids": [{"n_steps": 5}]}, "tune.grids.0.n_steps: 5 is not allowed; give a list, for example [5]"),
        ({"grids": [{"n_steps": [True]}]}, "tune.grids.0.n_steps.0: True is not allowed"),
        ({"grids": [{"n_steps": [1.5]}]}, "tune.grids.0.n_steps.0: 1.5 is not allowed"),
        ({"grids": [{}, {"batch_size": [0]}]}, "tune.grids.1.batch_size.0: 0 is not allowed; it must be greater"),
        ({"grids": [{"learning_rate": [None, 2]}]}, "tune.grids.0.learning_rate.1: 2 is not allowed; it must be less"),
        ({"grids": [{"learning_rate": ["own"]}]}, "tune.grids.0.learning_rate.0: 'own' is not allowed"),
        ({"grids": [{"recurrent_rate": [11]}]}, "tune.grids.0.recurrent_rate.0: 11 is not allowed; it must be less"),
        ({"grids": [{"recurrent_rate": [None]}]}, "tune.grids.0.recurrent_rate.0: None is not allowed"),
        ({"grids": [{"clip_norm": [0]}]}, "tune.grids.0.clip_norm.0: 0 is not allowed; it must be greater than 0"),
        ({"grids": [{"decay": ["linear"]}]}, "tune.grids.0.decay.0: 'linear' is not allowed; allowed: 'cosine', "),
        ({"kinds": ["joint-rule"]}, "tune.kinds.0: 'joint-rule' is not allowed; allowed: 'separate', "),
        ({"kinds": ["separate"] * 2}, "tune.kinds: ['separate', 'separate'] is not allowed; each may appear once"),
        ({"tasks": ["memory"]}, "tune.tasks: there is no task 'memory'; tasks are delay_pro, "),
        (
            {"tasks": ["memory", "mem_pro", "go"]},
            "tune.tasks: there are no tasks 'memory', 'go'; tasks are delay_pro, ",
        ),
        ({"networks": 0}, "tune.networks: 0 is not allowed; it must be greater than or equal to 1"),
        ({"candidates": []}, "tune.candidates: unknown key; allowed are grids, tasks, kinds, networks, first_seed"),
    ],
)
def test_what_the_search_may_not_be_asked_for_is_refused_in_one_line(tune, line):
    with pytest.raises(ConfigError) as refusal:
        tuned(**tune)
    assert str(refusal.value).startswith(line) and "\n" not in str(refusal.value)


def test_a_grid_s_candidates_are_every_combination_and_have_names_of_their_own():
    grid = Grid(learning_rate=(None, 0.1), clip_norm=(0.1, None), n_steps=(5,), batches=("fresh", "frozen"))
    names = [candidate.name for candidate in grid.candidates()]
    assert names[0] == "zero, rate own, W_rec × 1, clip 0.1, 5"
    assert names[-1] == "zero, rate 0.1, W_rec × 1, clip none, 5, frozen batch"
    assert len(names) == len(set(names)) == 2 * 2 * 2
    everything = Candidate(
        readout_init="n_units",
        learning_rate=3e-3,
        recurrent_rate=0.1000001,
        readout_rate=2,
        batch_size=7,
        decay="stages",
        recurrent_init="orthogonal",
    )
    expected = "n_units, rate 0.003, W_rec × 0.1000001, clip 0.1, 1000, W_out × 2, batch 7, stages, orthogonal"
    assert everything.name == expected


def test_a_field_of_a_grid_that_is_left_out_is_the_candidate_s_own_default():
    assert Grid().candidates() == [Candidate()]
    assert list(Grid.model_fields) == list(Candidate.model_fields)


def test_w_rec_of_a_reservoir_has_no_rate_and_pretraining_no_other_rate_and_steps_than_its_own():
    c = tuned(grids=[{"learning_rate": [1e-2, 1e-3], "recurrent_rate": [1, 0.1], "n_steps": [5, 6]}])
    assert [len(candidates(c, "grid1", kind)) for kind in ("separate", "molap-cca", "molap-none")] == [8, 8, 4]
    assert {candidate["recurrent_rate"] for candidate in candidates(c, "grid1", "molap-none")} == {1.0}
    found = pretraining_candidates(c, "grid1")
    assert [candidate["recurrent_rate"] for candidate in found] == [1.0, 0.1]
    own = {(candidate["learning_rate"], candidate["n_steps"]) for candidate in found}
    assert own == {(None, c.pretraining.n_steps)}


def settings(config):
    plan = Plan(config)
    return {name: plan.settings(stage, "paper", **at) for name, (stage, at) in JOBS.items()}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tune": {"grids": [{"n_steps": [500]}]}}, ALL),
        ({"tune": {"networks": 4}}, ALL),
        ({"tune": {"first_seed": 7}}, ALL),
        ({"tune": {"tasks": ["mem_dm1", "mem_pro"]}}, {"dni"}),
        ({"tune": {"kinds": ["separate"]}}, set()),
        ({"seeds": {"data": 1}}, ALL),
        ({"seeds": {"first": 1, "networks": 2}}, set()),
        ({"network": {"readout_init": "zero", "recurrent_init": "orthogonal"}}, set()),
        ({"network": {"n_units": 90}}, {"modules", "cca", "none"}),
        ({"network": {"n_modules": 4}}, {"modules"}),
        ({"network": {"n_modules": 4, "inter_module": "zero"}}, {"modules", "cca", "none"}),
        ({"network": {"biases": True}}, ALL),
        ({"separate_network": {"n_units": 90}}, {"separate"}),
        ({"optimiser": {"decay": "stages", "clip_norm": None, "batches": "frozen"}}, set()),
        ({"optimiser": {"adam_count": "stage"}}, ALL),
        ({"pretraining": {"n_steps": 400}}, {"modules", "cca"}),
        ({"pretraining": {"learning_rate": 1e-3}}, {"modules"}),
        ({"pretraining": {"batch_size": 100, "recurrent_rate": 0.5}}, set()),
        ({"heads": {"n_steps": 400, "batch_size": 100, "readout_rate": 2}}, set()),
        ({"heads": {"weight_penalty": 1e-4}}, {"cca", "none"}),
        ({"separate": {"n_steps": 400, "recurrent_rate": 0.5}}, set()),
        ({"separate": {"activity_penalty": 1e-4}}, {"separate"}),
        ({"dni": {"n_steps": 400, "joint_steps": 5, "recurrent_rate": 0.5}}, set()),
        ({"dni": {"alpha": 0.1}}, {"dni"}),
        ({"evaluation": {"tolerance": 0.2}}, ALL - {"modules"}),
        ({"evaluation": {"n_trials": 50}}, set()),
        ({"primitives": {"pca": "joint"}}, set()),
        ({"corpus": {"alignment": "independent"}}, {"modules"}),
    ],
)
def test_a_search_depends_on_what_its_candidates_do_not_replace_and_on_nothing_more(change, expected):
    before, after = settings(RunConfig()), settings(parse_config(change))
    assert {name for name in JOBS if before[name] != after[name]} == expected


def test_the_programs_of_the_search_take_what_the_plan_gives_them():
    for stage, at in JOBS.values():
        program = importlib.import_module(f"molap.stages.{stage}")
        found = program.Settings.model_validate(json.loads(Plan(RunConfig()).settings(stage, "paper", **at)))
        assert found.seeds == (10_000, 10_001, 10_002) and len(found.candidates) in (8, 16, 32)


def test_a_further_grid_changes_nothing_of_the_others():
    one, two = (tuned(grids=[{"n_steps": [5]}, *more]) for more in ([], [{"n_steps": [6]}]))
    assert settings(one) == settings(two) and grids(two) == ["grid1", "grid2"]
    assert {"search_modules", "search", "search_sequence", "tune_table", "fig_tune"} <= STAGES.keys()


def test_the_documentation_explains_every_field_of_a_grid_and_its_example_is_allowed():
    page = config_page().partition("### `tune.grids`")[2]
    for name, field in Candidate.model_fields.items():
        assert f"| `{name}` | list of " in page and field.description in page
    example = yaml.safe_load(page.partition("```yaml\n")[2].partition("```")[0])
    c = parse_config(example)
    assert [len(candidates(c, grid, "separate")) for grid in grids(c)] == [4, 4]
    names = [Candidate(**one).name for one in candidates(c, "grid2", "separate")]
    assert "zero, rate 0.01, W_rec × 0.03, clip none, 1000" in names


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "candidate trains 3 networks of each kind and task, with seeds from 10000 on, which no result uses."),
        ({"tune": {"networks": 1}}, "1 network of each kind"),
        ({"seeds": {"first": 9990, "networks": 11}}, "from 10000 on, some of which results also use."),
        ({"seeds": {"first": 9990, "networks": 10}}, "from 10000 on, which no result uses."),
        ({"seeds": {"first": 10_003}}, "from 10000 on, which no result uses."),
    ],
)
def test_the_caption_tells_which_networks_were_searched(change, words):
    text = captions(parse_config(change))["fig_tune"]
    assert words in text and "``evaluation.n_validation`` 500" in text
