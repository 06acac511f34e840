"""The words of a job's command that name its files."""

import pytest

from molap.planning import job_files
from molap.planning.dry_run import config_files
from molap.planning.job_files import expanded, file_words

FEW = {"network": "results/a b.npz"}, {"table": "results/\u2028.csv"}
MANY = {f"record/{i}": f"results/tiny/networks/s0-1/separate/task{i}.record.json" for i in range(400)}, FEW[1]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("files", [FEW, MANY])
def test_words_are_read_back_as_they_were_written(files):
    words = file_words(*files)
    named = [*("--input" for _ in files[0]), *("--output" for _ in files[1])]
    expected = [f"{name}={file}" for part in files for name, file in part.items()]
    assert expanded(words)[::2] == named and expanded(words)[1::2] == expected
    assert (len(words) == 1) == (files is MANY)


def test_a_file_of_words_is_written_once_and_mended_where_it_is_damaged():
    (word,) = file_words(*MANY)
    file = word.removeprefix("@")
    with open(file, "a") as stream:
        stream.write("more\n")
    assert expanded(file_words(*MANY))[-1] == f"table={FEW[1]['table']}"


def test_where_no_file_can_be_written_the_command_holds_the_words(monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(job_files, "write_atomically", refuse)
    assert len(file_words(*MANY)) == 2 * (len(MANY[0]) + 1)
    longer = {f"{name}{'x' * 300}": file for name, file in MANY[0].items()}
    with pytest.raises(PermissionError):
        file_words(longer, {})


def test_the_configuration_files_are_found_among_snakemake_s_arguments():
    words = ["-n", "--configfile", "a.yaml", "b.yaml", "--cores", "2", "--configfiles=c.yaml", "claims"]
    assert config_files(words) == ["a.yaml", "b.yaml", "c.yaml"]
