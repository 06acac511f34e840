"""Tests run as the stages do: one thread, set before NumPy and JAX are loaded. The longest files start first.

`pytest` runs the tests that are marked neither `exhaustive` nor `services`. Property tests are also marked `deep`:
`pytest -m deep` runs them with a hundred times as many examples.
"""

import fcntl
import os
import shutil
import signal

import pytest
from hypothesis import is_hypothesis_test, settings
from slurm_cluster import Cluster, why_not
from workflow_helpers import COMPILED, STARTED, Scratch, dry_runs

# Set before jaxtyping's hook imports JAX, which reads these variables once: every program is kept, however small.
os.environ["JAX_COMPILATION_CACHE_DIR"] = str(COMPILED)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
import molap.stages  # noqa: F401  (one thread, before NumPy and JAX are loaded)

# isort: split
import jax
from jax.experimental.compilation_cache import compilation_cache
from reruns import TARGETS

NO_SLURM = "MOLAP_TESTS_WITHOUT_SLURM"
"""The reason, passed to the workers."""

LONGEST = (
    "test_slurm_run",
    "test_interruptions",
    "test_training",
    "test_dni",
    "test_network",
    "test_shared",
    "test_tracking_store",
    "test_tasks",
    "test_perturbations",
    "test_unlike_tasks",
    "test_tutorial",
    "test_first_steps",
    "test_yang19",
    "test_readme",
    # These wait for the tiny run, which test_interruptions has begun.
    "test_merge",
    "test_workflow",
    "test_slurm_faults",
    "test_contract",
    "test_tracking_workflow",
    "test_reruns",
    "test_reruns_of_additions",
    "test_faults",
    "test_faults_of_disks",
    "test_tracking_server",
    "test_workflow_configurations",
    "test_progress",
    "test_search_workflow",
    "test_your_own",
)


# A failure prints the line `@reproduce_failure(…)`, which repeats its example when it is put above the test.
settings.register_profile("fixed", deadline=None, derandomize=True, print_blob=True, max_examples=100)
settings.register_profile("deep", deadline=None, print_blob=True, max_examples=10_000)


def pytest_configure(config):
    settings.load_profile("deep" if config.option.markexpr == "deep" else "fixed")


def pytest_addoption(parser):
    parser.addoption(
        "--slurm", action="store_true", help="start a real Slurm on this machine, for the tests that need one"
    )


def pytest_sessionstart(session):
    """Start the cluster that was asked for, before the workers and once for all of them."""
    if hasattr(session.config, "workerinput"):
        return
    asked_for = session.config.getoption("--slurm")
    if asked_for and "not services" in session.config.option.markexpr:
        raise pytest.UsageError("--slurm: the tests that need it are marked `services`; give -m services as well")
    os.environ[NO_SLURM] = (
        why_not() if asked_for else "needs `pytest --slurm`, which starts a real Slurm on this machine"
    )
    if not os.environ[NO_SLURM]:
        session.config.slurm = Cluster()


def pytest_sessionfinish(session):
    if cluster := getattr(session.config, "slurm", None):
        cluster.stop()
    if dry_runs.cache_info().currsize:
        dry_runs().__exit__()


@pytest.fixture(scope="session")
def slurm():
    """A real Slurm, or the reason why there is none."""
    if reason := os.environ[NO_SLURM]:
        pytest.skip(reason)


@pytest.hookimpl(tryfirst=True)  # before tests are selected by their markers
def pytest_collection_modifyitems(items):
    """Mark property tests, and hand the long files out first, so that no worker is left with one at the end."""
    for item in items:
        if is_hypothesis_test(getattr(item, "obj", None)):  # Hypothesis adds a marker of its own only later
            item.add_marker("deep")
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id):
    """A function (name, make) → a scratch copy: the first worker that needs it makes it, the others wait for it."""
    base = tmp_path_factory.getbasetemp()
    base = base if worker_id == "master" else base.parent

    def found(name, make):
        folder = base / name
        done = folder / "done"
        with open(folder.with_suffix(".lock"), "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)  # what another worker failed to finish
                make(folder)
                done.touch()
        return Scratch.at(folder)

    return found


@pytest.fixture(scope="session")
def finished(made_once):
    """A finished run of the tiny configuration."""

    def make(folder):
        folder.mkdir()
        result = Scratch(folder).run()
        assert result.returncode == 0, result.stdout + result.stderr

    return made_once("finished", make)


@pytest.fixture(scope="session")
def complete(finished, made_once):
    """A finished run of the tiny configuration with all targets."""

    def make(folder):
        result = finished.copy(folder).run(*TARGETS)
        assert result.returncode == 0, result.stdout + result.stderr

    return made_once("complete", make)


@pytest.fixture(autouse=True)
def nothing_left_running():
    """End, with its jobs, every Snakemake that a failing test has left."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def changed(finished, tmp_path):
    """A copy of the finished run that a test may change."""
    return finished.copy(tmp_path / "changed")


@pytest.fixture(scope="module")
def compile_once(tmp_path_factory):
    """Keep the compiled programs of one file of tests in a folder of their own."""
    options = {
        "jax_compilation_cache_dir": str(tmp_path_factory.mktemp("compiled")),
        "jax_persistent_cache_min_compile_time_secs": 0.0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    before = {name: getattr(jax.config, name) for name in options}
    for values in (options, before):
        for name, value in values.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()
        if values is options:
            yield
