"""Bad input of every kind ends in a refusal of one line for each field, or in a right result; nothing else is raised.

`pytest -m deep tests/machinery/test_fuzz.py` tries it for ten minutes: configurations, YAML files, tasks in Python
files, files of networks and of trials, records, tables, names, settings of stages, and command lines.
"""

import io
import json
import math
import re
import string
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from molap.config.base import ConfigError, check
from molap.config.names import FOLDER, LETTERS, SMALL, why_not_a_name
from molap.config.npz_file import read_known
from molap.config.run import RunConfig, parse_config
from molap.config.yaml_file import read_yaml
from molap.networks.own import read_reservoir
from molap.planning.origin import is_foreign
from molap.report.pages import in_html, table
from molap.storage.files import FileDamaged, read_json, read_table, write_json, write_table
from molap.storage.found import find_records
from molap.tasks.from_file import task_from_file
from molap.tracking.describe import describe, describe_failure

SECTIONS = {n: f.annotation for n, f in RunConfig.model_fields.items() if hasattr(f.annotation, "model_fields")}
KEYS = [(section, key) for section, model in SECTIONS.items() for key in model.model_fields]

MOST = 4_000
"""Inputs of each test with the marker `deep`, about ten minutes in all."""


def tries(*strategies, **named):
    """Give a test as many inputs as the profile says, and at most `MOST`."""
    number = settings(max_examples=min(settings.default.max_examples, MOST))
    return lambda function: number(given(*strategies, **named)(function))


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(["null", "all", "cca"])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


def folder():
    return tempfile.TemporaryDirectory(prefix="molap-fuzz-")


def refused_or(function, *arguments, kinds=(ConfigError,)):
    """Call a function; return what it returns, or None if it refuses in lines that are not empty."""
    try:
        return function(*arguments)
    except kinds as error:
        lines = str(error).split("\n")
        assert all(line.strip() and len(line) < 2000 for line in lines) and "Traceback" not in str(error), str(error)
        return None


@tries(st.dictionaries(st.sampled_from([*SECTIONS, "name", "nonsense"]) | st.text(max_size=5), values, max_size=3))
def test_any_configuration(found):
    refused_or(parse_config, found)


@tries(st.lists(st.tuples(st.sampled_from(KEYS), values), min_size=1, max_size=3))
def test_any_value_of_any_key_is_refused_by_its_name_or_kept(chosen):
    given_: dict = {}
    for (section, key), value in chosen:
        given_.setdefault(section, {})[key] = value
    config = refused_or(parse_config, given_)
    if config is not None:
        assert parse_config(config.model_dump(mode="json")) == config, "what is written reads as the same"


@tries(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_as_a_yaml_file(content):
    with folder() as place:
        file = Path(place, "mine.yaml")
        file.write_bytes(content)
        found = refused_or(read_yaml, file)
        if found is not None:
            assert found == yaml.safe_load(content.decode("utf-8-sig")) or _nan(found)


def _nan(found):
    return "nan" in repr(found)


@tries(values)
def test_a_yaml_file_of_any_values_reads_as_they_are(found):
    assume(isinstance(found, dict) and found)
    with folder() as place:
        file = Path(place, "mine.yaml")
        file.write_text(yaml.safe_dump(found), encoding="utf-8")
        read = refused_or(read_yaml, file)
        assert read is None or read == found or _nan(found)


arrays = st.one_of(
    hnp.arrays(
        st.sampled_from(["f4", "f8", "i4", "u1", "?", "c8", "U3", "S2"]), hnp.array_shapes(max_dims=3, max_side=5)
    ),
    hnp.arrays("f8", st.integers(2, 5).map(lambda n: (n, n))),
    st.just(np.array(None)),
    st.just(np.zeros((0, 3))),
)
names = st.sampled_from(["w_rec", "modules", "inputs", "targets", "mask", "dt", "window", "label", "b_rec", "../x"])


@tries(st.dictionaries(names, arrays, max_size=4), st.integers(0, 2**16), st.binary(max_size=3))
def test_any_arrays_and_any_damage_as_a_file_of_the_user_s(found, at, change):
    content = io.BytesIO()
    np.savez(content, **{name.replace("../", "up_"): array for name, array in found.items()})
    damaged = bytearray(content.getvalue())
    at %= len(damaged)
    damaged[at : at + len(change)] = change
    with folder() as place:
        file = Path(place, "own.npz")
        file.write_bytes(bytes(damaged))
        network = refused_or(read_reservoir, file)
        assert network is None or (np.isfinite(network.w_rec).all() and network.w_rec.any())
        refused_or(task_from_file, str(file))
        assert {entry.name for entry in Path(place).iterdir()} == {"own.npz"}


@tries(
    st.lists(st.sampled_from(["w_rec.npy", "w_rec", "../evil.npy", "modules.npy", "/abs.npy"]), max_size=4), st.binary()
)
def test_any_archive_as_a_network(members, content):
    with folder() as place:
        file = Path(place, "own.npz")
        with zipfile.ZipFile(file, "w") as archive:
            for member in members:
                archive.writestr(member, content)
        assert refused_or(read_known, file, ("w_rec", "modules"), {}, kinds=(ConfigError,)) in (None, {})


@tries(values, st.sampled_from(["record", "attempt"]))
def test_any_json_as_a_record(found, kind):
    with folder() as place:
        file = Path(place, "run", f"x.{kind}.json")
        file.parent.mkdir()
        file.write_text(json.dumps(found), encoding="utf-8", errors="surrogatepass")
        Path(place, "run", "x.npz").write_bytes(b"")
        assert is_foreign(str(file.parent / "x.npz"), None, "{}", "abc"), "no such record is that of a planned job"
        refused_or(read_json, file, kinds=(FileDamaged,))
        for record in find_records(Path(place)):
            try:
                function = describe_failure if kind == "attempt" else lambda job, of: describe(job, of, Path(place))
                function(record.job, found)
            except (KeyError, TypeError, AttributeError, ValueError, IndexError):
                pass  # the importer names the record, and goes on with the others


@tries(st.binary(max_size=200), st.binary(max_size=50))
def test_any_bytes_as_a_table_with_its_record(content, record):
    with folder() as place:
        file = Path(place, "x.csv")
        file.write_bytes(content)
        file.with_suffix(".record.json").write_bytes(record)
        refused_or(read_table, file, kinds=(FileDamaged,))


@tries(st.text(max_size=70) | st.text(string.ascii_letters + string.digits + "_.+-", max_size=12))
def test_a_name_that_is_allowed_is_read_back_as_itself_by_all_that_read_it(name):
    for form in (SMALL, LETTERS, FOLDER):
        if why_not_a_name(name, form) is None:
            assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*|_\w*", name) and ".." not in (name, name[:2])
            assert yaml.safe_load(f"x: {name}")["x"] == name or form == FOLDER
    if why_not_a_name(name, None) is None and name.isprintable():
        with folder() as place:
            write_table(Path(place, "x.csv"), pd.DataFrame({"label": [name], "value": [1.0]}))
            assert read_table(Path(place, "x.csv")).label.tolist() == [name]


@tries(st.text(max_size=50))
def test_no_text_becomes_markup_of_a_page(text):
    shown = table(text, "", pd.DataFrame({text or "x": [text, "b"]}))
    for page in (shown, in_html(text)):
        assert "<script" not in page.lower() and "onerror" not in re.sub(r">[^<]*<", "><", page)
    assert "<" not in re.sub(r"</?code>", "", in_html(text))


@tries(st.floats(), st.lists(st.floats(), max_size=3))
def test_numbers_that_are_not_finite_are_null_in_json(one, more):
    with folder() as place:
        write_json(Path(place, "x.json"), {"a": one, "b": more})
        found = read_json(Path(place, "x.json"))
        assert found["a"] == one if math.isfinite(one) else found["a"] is None


@pytest.mark.parametrize("stage", ["testset", "head", "perturbation", "sequence"])
@tries(found=values)
def test_any_settings_of_a_stage(stage, found):
    import importlib

    refused_or(check, importlib.import_module(f"molap.stages.{stage}").Settings, found)
