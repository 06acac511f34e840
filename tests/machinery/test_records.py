"""Files are written whole or not at all, the same bytes each time, and a damaged one is named."""

import json
import os
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from molap.storage.files import (
    FileDamaged,
    canonical_json,
    load_arrays,
    read_json,
    read_table,
    record_path,
    save_arrays,
    write_atomically,
    write_json,
    write_table,
)
from molap.storage.record import write_record

ARRAYS = {
    "weights": np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32),
    "counts": np.arange(6),
    "flags": np.array([True, False]),
    "names": np.array(["delay_pro:cos", "θ"]),
    "scalar": np.array(2.5),
    "empty": np.zeros((0, 3)),
    "odd": np.array([np.nan, np.inf, -0.0]),
}
PROVENANCE = {"stage": "corpus", "settings": {"σ": 0.002, "tasks": ["a", "b"]}}


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "arrays.npz"
    save_arrays(path, PROVENANCE, **ARRAYS)
    return path


def test_round_trip(saved):
    loaded = load_arrays(saved)
    assert loaded.keys() == ARRAYS.keys()
    for name, values in ARRAYS.items():
        assert loaded[name].dtype == values.dtype and loaded[name].shape == values.shape
        assert loaded[name].tobytes() == values.tobytes()


def test_provenance_is_saved_as_json(saved):
    with np.load(saved) as file:
        assert json.loads(str(file["provenance"])) == PROVENANCE


def test_an_array_named_provenance_is_refused(tmp_path):
    with pytest.raises(TypeError):
        save_arrays(tmp_path / "a.npz", {}, provenance=np.zeros(2))
    assert list(tmp_path.iterdir()) == []


def test_repeated_saves_have_the_same_bytes(saved, tmp_path):
    again = tmp_path / "again.npz"
    save_arrays(again, dict(reversed(PROVENANCE.items())), **ARRAYS)
    assert again.read_bytes() == saved.read_bytes()
    with zipfile.ZipFile(saved) as file:
        assert {member.date_time for member in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_other_values_have_other_bytes(saved, tmp_path):
    save_arrays(tmp_path / "other.npz", PROVENANCE | {"stage": "head"}, **ARRAYS)
    assert (tmp_path / "other.npz").read_bytes() != saved.read_bytes()


def test_writing_creates_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file.txt"
    for text in (b"first", b"second"):
        write_atomically(path, lambda file, text=text: file.write(text))
        assert path.read_bytes() == text
        assert os.listdir(path.parent) == ["file.txt"]


def test_the_file_is_absent_until_it_is_whole(tmp_path):
    path = tmp_path / "file.txt"

    def write(file):
        file.write(b"half")
        file.flush()
        assert not path.exists()
        assert [entry.suffix for entry in tmp_path.iterdir()] == [".txt"]

    write_atomically(path, write)
    assert path.read_bytes() == b"half"


def test_a_file_has_the_permissions_of_an_ordinary_one(tmp_path):
    (tmp_path / "ordinary").write_text("")
    write_atomically(tmp_path / "file", lambda file: file.write(b"x"))
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "ordinary").stat().st_mode


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("existing", [None, b"older"])
def test_a_writer_that_raises_leaves_nothing_behind(tmp_path, error, existing):
    path = tmp_path / "file.txt"
    if existing:
        path.write_bytes(existing)

    def write(file):
        file.write(b"half")
        raise error

    with pytest.raises(error):
        write_atomically(path, write)
    assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([existing] if existing else [])


def refuses(path):
    """Whether reading ends with a message that names the file."""
    with pytest.raises(FileDamaged, match=re.escape(str(path))) as error:
        load_arrays(path)
    return "snakemake" in str(error.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_damaged(saved, share):
    data = saved.read_bytes()
    saved.write_bytes(data[: int(share * len(data))])
    assert refuses(saved)


def test_a_file_that_is_no_archive_is_damaged(saved):
    saved.write_bytes(b"no archive at all\n" * 100)
    assert refuses(saved)


def test_a_file_of_a_single_array_is_damaged(saved):
    with saved.open("wb") as file:
        np.save(file, np.arange(3))
    assert refuses(saved)


def test_a_changed_value_is_damaged(saved):
    data = bytearray(saved.read_bytes())
    position = data.index(ARRAYS["weights"].tobytes()) + 17
    data[position] ^= 1
    saved.write_bytes(bytes(data))
    assert refuses(saved)


@pytest.mark.parametrize(("field", "value"), [(8, 0x01), (10, 0x63)], ids=["encrypted", "compression"])
def test_a_changed_directory_of_the_archive_is_damaged(saved, field, value):
    data = bytearray(saved.read_bytes())
    data[data.index(b"PK\x01\x02") + field] ^= value
    saved.write_bytes(bytes(data))
    assert refuses(saved)


def test_any_changed_byte_of_the_arrays_is_noticed(tmp_path):
    """Loading gives the same arrays (where the byte does not matter) or fails by name; other errors surface."""
    path = tmp_path / "small.npz"
    save_arrays(path, {}, a=np.arange(5.0))
    data = path.read_bytes()
    damaged = 0
    for position in range(data.index(b"PK\x01\x02")):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x11]) + data[position + 1 :])
        try:
            assert load_arrays(path)["a"].tobytes() == np.arange(5.0).tobytes()
        except FileDamaged:
            damaged += 1
    assert damaged > 150


@pytest.fixture
def recorded(tmp_path):
    """A table and a list, each with its record."""
    table, rows = tmp_path / "table.csv", tmp_path / "rows.json"
    write_table(table, pd.DataFrame({"task": ["a", "b"], "accuracy": [np.pi, 70.0]}))
    write_json(rows, [{"task": "a", "mse": 0.25}])
    for output in (table, rows):
        values = {"outputs": {"output": str(output)}, "metrics": {"mse": np.float32(0.1), "odd": [np.nan, 1e-30]}}
        write_record(record_path(str(output)), values)
    return table, rows


def test_tables_and_records_are_read_as_they_were_written(recorded):
    table, rows = recorded
    assert read_table(table, index_col="task").accuracy.to_dict() == {"a": 3.14159265, "b": 70}
    assert read_json(rows) == [{"task": "a", "mse": 0.25}]
    assert read_json(record_path(str(rows)))["metrics"] == {"mse": float(np.float32(0.1)), "odd": [None, 1e-30]}
    Path(record_path(str(table))).unlink()
    table.write_text("task,accuracy\nc,1\n")
    assert read_table(table).task.tolist() == ["c"], "without a record nothing is checked"


@pytest.mark.parametrize("content", [b"", b"task,accuracy\na,3.14159265\n", b"task,accuracy\na,3.14159266\nb,70\n"])
def test_a_table_that_was_cut_or_changed_is_damaged(recorded, content):
    table, _ = recorded
    table.write_bytes(content)
    with pytest.raises(FileDamaged, match=re.escape(f"{table} is damaged")) as error:
        read_table(table)
    assert f"rm {table}, then snakemake" in str(error.value)


def test_a_digit_changed_in_a_list_or_its_record_is_damaged(recorded):
    _, rows = recorded
    record = Path(record_path(str(rows)))
    good = rows.read_text()
    rows.write_text(good.replace("0.25", "0.26"))
    with pytest.raises(FileDamaged, match=re.escape(f"{rows} is damaged")):
        read_json(rows)
    rows.write_text(good)
    record.write_text(record.read_text().replace("1e-30", "1e-31"))
    with pytest.raises(FileDamaged, match=re.escape(f"{record} is damaged")):
        read_json(record)
    with pytest.raises(FileDamaged, match=re.escape(f"{record} is damaged")) as error:
        read_json(rows)
    assert f"rm {record} {rows}, then snakemake" in str(error.value)


def test_a_missing_file_is_missing_and_not_damaged(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_arrays(tmp_path / "none.npz")


def test_write_json_takes_numpy_values(tmp_path):
    values = {
        "float32": np.float32(0.5),
        "int": np.int64(3),
        "flag": np.bool_(True),
        "array": np.arange(4).reshape(2, 2),
        "plain": [1, "θ", None],
    }
    write_json(tmp_path / "a.json", values)
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    expected = {"float32": 0.5, "int": 3, "flag": True, "array": [[0, 1], [2, 3]], "plain": [1, "θ", None]}
    assert json.loads(text) == expected
    assert list(json.loads(text)) == sorted(values)
    assert "θ" in text and text.endswith("}\n")


def test_write_json_refuses_other_objects(tmp_path):
    with pytest.raises(TypeError, match="complex"):
        write_json(tmp_path / "a.json", {"value": 1j})
    assert list(tmp_path.iterdir()) == []


def test_write_table_keeps_nine_digits(tmp_path):
    table = pd.DataFrame({"task": ["a", "b"], "accuracy": [np.pi, 70.0]})
    write_table(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_bytes() == b"task,accuracy\na,3.14159265\nb,70\n"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=8,
)


def reordered(values):
    """The same value with the keys of every mapping in reverse order."""
    if isinstance(values, dict):
        return {key: reordered(values[key]) for key in reversed(values)}
    return [reordered(value) for value in values] if isinstance(values, list) else values


@given(PLAIN)
def test_canonical_json_does_not_depend_on_the_order_of_keys(values):
    text = canonical_json(values)
    assert canonical_json(reordered(values)) == text
    assert json.loads(text) == values


def test_canonical_json_is_compact_and_tells_values_apart():
    assert canonical_json({"b": [1, 2.5], "a": {"σ": None}}) == '{"a":{"σ":null},"b":[1,2.5]}'
    assert canonical_json({"a": 1}) != canonical_json({"a": "1"}) != canonical_json({"a": 1.5})


def test_property_tests_are_run_by_their_own_marker(request):
    found = [item for item in request.session.items if item.get_closest_marker("hypothesis")]
    assert found and all(item.get_closest_marker("deep") for item in found)
