"""File systems that are full or cannot be written: told in one line, nothing half-written is taken as done."""

import os
import shutil
import subprocess
import sys

import pytest
from workflow_helpers import Scratch, assert_done, differences, told

pytestmark = pytest.mark.exhaustive

BLOCK = "results/tiny/networks/s0-1"
HEAD, EVALUATION = f"{BLOCK}/molap-none/mem_dm1.npz", "results/tiny/evaluation/s0-1/molap-none/mem_dm1.json"
RESERVOIR, FIGURE = f"{BLOCK}/reservoir.npz", "results/tiny/figures/fig1c.png"


@pytest.fixture
def mount():
    """A function that mounts something on a folder until the test ends; where that is not allowed, it is skipped."""
    mounted = []

    def mount(folder, *options):
        result = subprocess.run(["mount", *map(str, options), str(folder)], capture_output=True, text=True)
        if result.returncode:
            pytest.skip(f"mounting is not allowed here: {result.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def read_only(mount, folder):
    """Make a folder read-only, for root too."""
    mount(folder, "--bind", folder)
    subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
    return folder


def test_a_full_disk_is_told_with_the_file_and_the_run_goes_on_once_there_is_room(finished, tmp_path, mount):
    scratch = Scratch(tmp_path)
    results = tmp_path / "results"
    results.mkdir()
    mount(results, "-t", "tmpfs", "-o", "size=4k", "none")
    (line,) = told(scratch.run(EVALUATION).stderr)
    assert line.startswith("results/ cannot be written: OSError: [Errno 28] No space left on device: 'results/")
    stages = set()
    for size in ("32k", "64k", "96k"):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(results)], check=True)
        for line in told(scratch.run(EVALUATION).stderr):
            assert "failed: OSError: [Errno 28] No space left on device" in line and "make room, then run snake" in line
            stages.add(line.split()[1])
        found = {name: content for name, content in scratch.outputs().items() if ".attempt." not in name}
        assert differences(found, {name: finished.outputs()[name] for name in found}) == {}
    print(stages)
    subprocess.run(["mount", "-o", "remount,size=16m", str(results)], check=True)
    assert_done(scratch, finished, EVALUATION)


def test_results_that_cannot_be_written_are_told_before_any_job(finished, tmp_path, mount):
    scratch = Scratch(tmp_path)
    results = tmp_path / "results"
    results.mkdir()
    read_only(mount, results)
    result = scratch.run(RESERVOIR)
    (line,) = told(result.stderr)
    assert line.startswith("results/ cannot be written: OSError: [Errno 30] Read-only file system: 'results/")
    assert line.endswith("make the folder writable, then run snakemake as before") and "Execute " not in result.stderr
    subprocess.run(["mount", "-o", "remount,rw,bind", str(results)], check=True)
    assert_done(scratch, finished, RESERVOIR)


@pytest.mark.parametrize("fault", ["Read-only file system", "No space left on device"])
def test_a_job_by_hand_that_cannot_write_its_log_or_output_says_so_in_one_line(finished, tmp_path, mount, fault):
    folder = tmp_path / "folder"
    folder.mkdir()
    if fault.startswith("No space"):
        mount(folder, "-t", "tmpfs", "-o", "size=4k", "none")
        (folder / "full").write_bytes(bytes(4096))
    else:
        read_only(mount, folder)
    for files in (["--output", f"json={folder}/x.json"], ["--output", "json=x.json", "--log", f"{folder}/x.log"]):
        command = [sys.executable, "-m", "molap.stages.configuration", "--settings", '{"name": "demo"}', *files]
        result = subprocess.run(command, cwd=tmp_path, env=finished.environment, capture_output=True, text=True)
        (line,) = told(result.stderr)
        assert fault in line and f"{folder}/x." in line and ", then run snakemake as before" in line
        assert result.stderr.strip() == line
        assert {path.name for path in folder.iterdir()} <= {"full", "x.log"}


def test_caches_that_cannot_be_written_or_are_damaged_change_nothing(changed, finished, tmp_path, mount):
    """Home, Matplotlib's folder and JAX's compiled programs, half of them cut, on a read-only file system."""
    home = tmp_path / "home"
    cut = shutil.copytree(changed.environment["JAX_COMPILATION_CACHE_DIR"], home / "jax")
    for entry in list(cut.iterdir())[::2]:
        os.truncate(entry, entry.stat().st_size // 2)
    read_only(mount, home)
    places = {"HOME": home, "MPLCONFIGDIR": home / "matplotlib", "JAX_COMPILATION_CACHE_DIR": cut}
    environment = changed.environment | {name: str(place) for name, place in places.items()}
    for file in (HEAD, FIGURE):
        (changed.folder / file).unlink()
    refused = changed.start(HEAD, FIGURE, env=environment | {"XDG_CACHE_HOME": str(home / "cache")})
    assert refused.wait(600) != 0 and f"Read-only file system: '{home}/cache'" in changed.output()
    allowed = changed.start(HEAD, FIGURE, env=environment | {"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert allowed.wait(600) == 0, changed.output()
    assert_done(changed, finished, HEAD, FIGURE)
