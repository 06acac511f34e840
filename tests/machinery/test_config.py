"""Every field of the configuration is refused with its name, the value and what is allowed; presets and pages agree."""

import importlib
import json
import re
import subprocess
import sys
import typing
from pathlib import Path

import numpy as np
import pytest
import yaml

from molap.config.base import LONGEST, ConfigError, in_one_line
from molap.config.run import RunConfig, parse_config, read
from molap.config.tasks import TASK_NAMES
from molap.planning.contents import blocks, kinds, left_out_sets
from molap.planning.document import PAGES
from molap.planning.plan import Plan
from molap.planning.setting_parts import trials
from molap.planning.settings import STAGES
from molap.tasks.registry import load_tasks

REPOSITORY = Path(__file__).parents[2]
SECTIONS = {
    name: field.annotation
    for name, field in RunConfig.model_fields.items()
    if hasattr(field.annotation, "model_fields")
}
FIELDS = [(section, name, field) for section, model in SECTIONS.items() for name, field in model.model_fields.items()]

WILDCARDS = {"block": "s0", "source": "cca", "task": "mem_pro", "module": "1", "kind": "dni-rule", "order": "0"}
WILDCARDS |= {"figure": "fig4", "grid": "grid1"}
"""One job of every stage."""


ALL = {"module": [100], "whole": [100], "silence": [100], "kinds": ["molap-cca"]}


def wrong_values(field) -> list:
    """Values of a wrong type or out of range for a field."""
    kinds = {field.annotation, *typing.get_args(field.annotation)}
    if typing.get_origin(field.annotation) is typing.Literal:
        return ["nonsense", 3]
    if typing.get_origin(field.annotation) is tuple:
        item = typing.get_args(field.annotation)[0]
        numbers = typing.get_origin(item) is typing.Annotated and typing.get_args(item)[0] is not str
        if not numbers:
            return ["a bare string", 3, [3.5]]
        limits = typing.get_args(item)[-1].metadata
        too_large = [[limit.le + 1] for limit in limits if hasattr(limit, "le")]
        return ["a bare string", 3, [0], [-1.0], [True], ["five"], [5, 5], [5.0, 5.0], *too_large]
    if bool in kinds:
        return ["perhaps", 7]
    if float in kinds or int in kinds:
        wrong = ["a word", True, [1], float("nan"), float("inf")] + ([1.5] if int in kinds else [])
        for limit in field.metadata:
            wrong += [getattr(limit, "ge", 0) - 1] if hasattr(limit, "ge") else []
            wrong += [limit.gt] if hasattr(limit, "gt") else []
            wrong += [limit.le + 1] if hasattr(limit, "le") else []
        return wrong
    return [["a list"], 3]


@pytest.mark.parametrize(("section", "name", "field"), FIELDS, ids=[f"{s}.{n}" for s, n, _ in FIELDS])
def test_a_wrong_value_is_refused_by_its_field(section, name, field):
    for value in wrong_values(field):
        with pytest.raises(ConfigError) as refusal:
            parse_config({section: {name: value}})
        lines = str(refusal.value).splitlines()
        assert any(line.startswith(f"{section}.{name}") for line in lines), (value, lines)


@pytest.mark.parametrize(("section", "name", "field"), FIELDS, ids=[f"{s}.{n}" for s, n, _ in FIELDS])
def test_the_default_itself_is_accepted(section, name, field):
    assert parse_config({section: {name: field.default}}) == RunConfig()


@pytest.mark.parametrize("section", SECTIONS)
def test_an_unknown_key_is_refused_with_those_that_exist(section):
    with pytest.raises(ConfigError, match=rf"^{section}\.nonsense: unknown key; allowed are "):
        parse_config({section: {"nonsense": 1}})
    with pytest.raises(ConfigError, match=f"^{section}: 3 is not allowed"):
        parse_config({section: 3})


def test_a_number_that_yaml_reads_as_text_counts_in_a_list_as_elsewhere():
    values = yaml.safe_load("{perturbations: {noise: [1e-2]}, heads: {learning_rate: 1e-2}}")
    assert values["heads"]["learning_rate"] == "1e-2"
    config = parse_config(values)
    assert config.perturbations.noise == (0.01,) and config.heads.learning_rate == 0.01


def test_the_line_of_an_error_that_quotes_a_whole_file_is_cut():
    line = in_one_line(ValueError("bad\nheader " + "x" * 10_000))
    assert line.startswith("ValueError: bad header x") and len(line) == LONGEST + 1


def test_only_what_is_perturbed_must_be_hit_by_something():
    small = {"silence": [0.5]}
    sizes = {"network": {"n_units": 200}, "separate_network": {"n_units": 200}}
    assert Plan(parse_config(sizes | {"perturbations": small})).runs["paper/switch/equal_size"].dni.n_units == 100
    parse_config({"perturbations": small | {"kinds": ["dni-rule"]}})
    parse_config({"perturbations": {"kinds": ["molap-cca"]}, "separate_network": {"n_units": 2}})
    parse_config({"network": {"n_units": 4}, "perturbations": {"inter_module": [8], "inter_module_as": "whole"} | ALL})
    with pytest.raises(ConfigError, match=r"perturbations.whole: 1 % of 9 weights of sequential-rule hits nothing"):
        parse_config(
            {
                "dni": {"n_units": 3, "kinds": ["sequential-rule"]},
                "perturbations": {"kinds": ["sequential-rule"], "whole": [1], "silence": [], "module": []},
            }
        )


def test_a_misspelt_key_is_recognised():
    with pytest.raises(ConfigError, match="did you mean learning_rate"):
        parse_config({"heads": {"learning_rat": 0.1}})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tasks": {"names": "mem_pro"}}, "tasks.names: 'mem_pro' is not allowed; give a list"),
        ({"tasks": {"names": ["mem_pro", "memory"]}}, "no task 'memory'; tasks are delay_pro, delay_anti"),
        ({"tasks": {"names": ["mem_pro", "mem_pro"]}}, "each may appear once"),
        ({"tasks": {"names": []}}, "tasks.names"),
        ({"tasks": {"names": ["mem_pro"]}}, "figures.example_task: 'context_mem_dm1' is not trained"),
        ({"tasks": {"modules": ["missing.py"]}}, "tasks.modules: 'missing.py' cannot be imported"),
        ({"tasks": {"modules": ["tests"]}}, "tasks.modules: 'tests' has no list TASKS"),
        ({"tasks": {"modules": ["./tests"]}}, "tasks.modules: './tests' is not allowed; give a Python file (.py), a "),
        ({"tasks": {"modules": ["pyproject.toml"]}}, "tasks.modules: 'pyproject.toml' is not allowed; give a Python"),
        ({"corpus": ["mem_pro"]}, "corpus: ['mem_pro'] is not allowed; give a section of keys and values, such as n_"),
        ({"perturbations": {"noise": [True]}}, "perturbations.noise.0: True is not allowed; give a number"),
        ({"network": {"n_units": 2}}, "perturbations.module: 30 % of 1 weights of a module of molap-cca hits nothing"),
        (
            {"network": {"n_units": 12}, "perturbations": {"module": [1]}},
            "perturbations.module: 1 % of 36 weights of a module of molap-cca hits nothing; give a larger percentage",
        ),
        (
            {"network": {"n_units": 12}, "perturbations": {"inter_module": [1]}},
            "perturbations.inter_module: 1 % of 72 weights of molap-cca hits nothing",
        ),
        (
            {"separate_network": {"n_units": 3}},
            "perturbations.module: 30 % of 1 weights of a module of separate hits",
        ),
        ({"dni": {"n_units": 2}}, "perturbations.module: 30 % of 1 weights of a module of dni-rule hits nothing"),
        ({"modules": {"numbers": [False]}}, "modules.numbers.0: False is not allowed; give a number"),
        ({"network": {"n_units": 101}}, "network.n_modules: 2 is not allowed; n_units = 101"),
        ({"name": "a/b"}, "name: 'a/b' is not allowed"),
        ({"name": "README.md"}, "name: 'README.md' is not allowed as a name; it has another meaning"),
        ({"name": "MLflow"}, "name: 'MLflow' is not allowed as a name; it has another meaning"),
        ({"name": "nan"}, "name: 'nan' is not allowed as a name; tables or YAML read it"),
        ({"name": "1e5"}, "name: '1e5' is not allowed as a name; tables or YAML read it as a number"),
        ({"name": "0_"}, "name: '0_' is not allowed as a name; tables or YAML read it as a number"),
        ({"name": "x" * 260}, "…' is not allowed as a name; it has 260 characters, 64 are allowed"),
        ({"name": "../x"}, "name: '../x' is not allowed"),
    ],
)
def test_what_fields_must_keep_to_together(values, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        parse_config(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": {"recurrent_rate": 0.5}}, "heads.recurrent_rate: unknown key; allowed are learning_rate"),
        ({"heads": {"readout_rate": 0}}, "heads.readout_rate: 0 is not allowed; it must be greater than 0"),
        ({"separate": {"readout_rate": 11}}, "separate.readout_rate: 11 is not allowed; it must be less than or equal"),
        ({"separate": {"recurrent_rate": -0.1}}, "separate.recurrent_rate: -0.1 is not allowed; it must be greater"),
        ({"pretraining": {"recurrent_rate": 10.5}}, "pretraining.recurrent_rate: 10.5 is not allowed; it must be less"),
        ({"dni": {"recurrent_rate": 0}}, "dni.recurrent_rate: 0 is not allowed; it must be greater than 0"),
        ({"network": {"readout_init": "none"}}, "network.readout_init: 'none' is not allowed; allowed: 'n_units'"),
        ({"network": {"recurrent_init": "haar"}}, "network.recurrent_init: 'haar' is not allowed; allowed: 'normal'"),
        ({"separate_network": {"recurrent_init": "orthogonal"}}, "separate_network.recurrent_init: unknown key"),
    ],
)
def test_what_training_starts_from_and_its_rates_are_refused_in_one_line(values, message):
    with pytest.raises(ConfigError) as refusal:
        parse_config(values)
    assert str(refusal.value).startswith(message) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"network": {"recurrent_init": "orthogonal"}}, {"reservoir", "separate", "sequence", "joint", "scores"}),
        (
            {"network": {"readout_init": "n_units"}},
            {"reservoir", "module", "head", "separate", "sequence", "joint", "scores"},
        ),
        ({"heads": {"readout_rate": 0.5}}, {"head"}),
        ({"pretraining": {"recurrent_rate": 0.5}}, {"module"}),
        ({"separate": {"recurrent_rate": 0.5, "readout_rate": 2}}, {"separate"}),
        ({"dni": {"recurrent_rate": 0.5, "readout_rate": 2}}, {"sequence", "joint"}),
    ],
)
def test_a_stage_knows_what_it_draws_and_trains_with_and_nothing_more(values, expected):
    """And its program reads what the configuration says."""
    one, other = Plan(RunConfig()), Plan(parse_config(values))
    changed = {
        stage
        for stage in STAGES.keys() - {"configuration", "own_network", "fig_plateau"}  # whose legend describes training
        if one.settings(stage, "paper", **WILDCARDS) != other.settings(stage, "paper", **WILDCARDS)
    }
    assert changed == expected
    for stage in changed:
        program = importlib.import_module(f"molap.stages.{stage}")
        read = program.Settings.model_validate_json(other.settings(stage, "paper", **WILDCARDS))
        (section,) = values
        for name, value in values[section].items():
            holder = read if name == "recurrent_init" else read.init if section == "network" else read.phase
            assert getattr(holder, name) == value


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    for text, message in (("- 1\n", "holds a list"), ("a: [", "cannot be read as YAML")):
        (tmp_path / "x.yaml").write_text(text)
        with pytest.raises(ConfigError, match=message):
            read(tmp_path / "x.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "missing.yaml")


@pytest.mark.parametrize(
    "file",
    [
        # The environments of yang19 draw their trials first, which takes seconds.
        pytest.param(file, marks=pytest.mark.exhaustive if file.stem == "yang19" else [], id=file.stem)
        for file in sorted((REPOSITORY / "config").glob("*.yaml"))
        if file.stem != "claims"
    ],
)
def test_every_configuration_can_be_planned(file):
    if "neurogym:" in file.read_text(encoding="utf-8"):
        pytest.importorskip("neurogym", reason="pip install --no-deps -r envs/neurogym.txt")
    config = read(file)
    assert json.loads(Plan(config).settings("configuration", config.name))["name"] == config.name


def test_presets_state_only_what_differs():
    assert read(REPOSITORY / "config/paper.yaml") == RunConfig()
    for preset in ("quick", "released"):
        stated = yaml.safe_load((REPOSITORY / f"config/{preset}.yaml").read_text())
        assert stated.pop("name") == preset
        for section, values in stated.items():
            for key, value in values.items():
                assert value != getattr(getattr(RunConfig(), section), key), f"{preset}: {section}.{key}"
        read(REPOSITORY / f"config/{preset}.yaml")


@pytest.mark.parametrize("page", PAGES)
def test_pages_made_from_the_code_are_up_to_date(page):
    assert (REPOSITORY / page).read_text(encoding="utf-8") == PAGES[page]()


def test_blocks_of_seeds():
    for seeds, expected in (
        ({}, ["s0"]),
        ({"networks": 3}, ["s0", "s1", "s2"]),
        ({"networks": 5, "per_job": 2, "first": 10}, ["s10-11", "s12-13", "s14"]),
    ):
        assert blocks(parse_config({"seeds": seeds})) == expected


def test_settings_do_not_depend_on_the_order_of_keys(tmp_path):
    np.savez(tmp_path / "own.npz", w_rec=np.eye(10))
    own = {"reservoirs": {"files": {"own": str(tmp_path / "own.npz")}}}
    one = Plan(parse_config({"heads": {"n_steps": 5, "batch_size": 7}, "corpus": {"n_trials": 20}} | own))
    two = Plan(parse_config(own | {"corpus": {"n_trials": 20}, "heads": {"batch_size": 7, "n_steps": 5}}))
    for stage in STAGES:
        wildcards = WILDCARDS | {"source": "own" if stage == "own_network" else "cca"}
        assert one.settings(stage, "paper", **wildcards) == two.settings(stage, "paper", **wildcards)


def test_the_plan_prints_what_a_stage_takes():
    command = [sys.executable, "-m", "molap.planning.plan", "head", "block=s0", "source=none", "task=mem_pro"]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    settings = json.loads(result.stdout)
    assert settings["task"] == "mem_pro" and settings["seeds"] == [0] and settings["phase"]["learning_rate"] == 0.01
    wrong = subprocess.run([*command[:4], "block=s0"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert wrong.returncode != 0 and len(wrong.stderr.splitlines()) == 1


def test_the_documentation_shows_a_task_and_a_network_that_work(tmp_path, monkeypatch):
    text = (REPOSITORY / "docs/your-own.md").read_text(encoding="utf-8")
    (tmp_path / "config").symlink_to(REPOSITORY / "config")
    monkeypatch.chdir(tmp_path)
    task, longer, save, environments, network = re.findall(r"```python\n(?!>>>)(.*?)```", text, re.DOTALL)
    Path("late_pro.py").write_text(task)
    Path("integrate.py").write_text(longer)
    rng = np.random.default_rng(0)
    exec(save, {"np": np, "inputs": rng.normal(size=(30, 20, 2)), "targets": rng.normal(size=(30, 20, 1))})
    exec(network, {})
    blocks_of_yaml = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    more, recorded, context, own = (yaml.safe_load(block) for block in blocks_of_yaml)
    config = parse_config(yaml.safe_load(Path("config/quick.yaml").read_text()) | more | own)
    assert config.tasks.names == (*TASK_NAMES, "late_pro") and load_tasks(("late_pro.py",))["late_pro"].label == "T10"
    assert ("late_pro",) in left_out_sets(config) and "molap-cortex" in kinds(config)
    assert load_tasks(("integrate.py",))["integrate"].n_steps == 150
    recorded["tasks"]["names"].remove("mem_pro")
    further = {
        "generalisation": {"left_out": []},
        "figures": {"example_task": "mem_dm1"},
        "tune": {"tasks": ["mem_dm1"]},
    }
    assert "recorded" in parse_config(recorded | further).tasks.names
    pytest.importorskip("neurogym", reason="pip install --no-deps -r envs/neurogym.txt")
    assert "yang19_ctxdlydm1" in parse_config(context).tasks.names
    Path("coarse.py").write_text(environments)
    coarse = load_tasks(("coarse.py",))
    assert coarse["go_nogo"].label == "go/no-go" and len(coarse["yang19_dms"].outputs) == 9


WRITTEN_PAGES = ["README.md", *(f"docs/{path.name}" for path in sorted((REPOSITORY / "docs").glob("*.md")))]


@pytest.mark.parametrize("page", WRITTEN_PAGES)
def test_links_and_pictures_of_the_pages_exist(page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (REPOSITORY / page).parent.joinpath(target).exists(), f"{page}: {target}"
    assert "@" not in re.sub(r"`[^`]*`", "", text), "a placeholder is left"


@pytest.mark.parametrize(("task", "depends"), [("delay_anti", True), ("mem_anti", True), ("delay_pro", False)])
def test_trials_depend_on_the_direction_of_anti_tasks_where_they_have_one(task, depends):
    usual, released = (trials(parse_config({"tasks": {"anti": anti}}), [task]) for anti in ("opposite", "released"))
    assert (usual != released) == depends
