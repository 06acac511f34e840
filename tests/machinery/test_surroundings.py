"""No setting of the user's changes a number: variables, XLA's flags, JAX's own settings, warnings, Matplotlib's."""

import json
import os
import subprocess
import sys

import pytest
from tenth_task import TENTH
from workflow_helpers import REPOSITORY

from molap.config.base import ConfigError
from molap.config.run import read
from molap.jobs import surroundings
from molap.jobs.surroundings import CPU_FLAGS, JAX, THREADS, fix, is_usual, ran_under, refuse
from molap.planning.plan import Plan
from molap.tasks.registry import load_tasks

PLAN = Plan(read(REPOSITORY / "tests" / "tiny.yaml"))
TESTSET = PLAN.settings("testset", "tiny", task="delay_pro")
UNHEEDED = [
    ("JAX_ENABLE_X64", "1"),
    ("JAX_DEFAULT_PRNG_IMPL", "rbg"),
    ("JAX_THREEFRY_PARTITIONABLE", "0"),
    ("JAX_RANDOM_SEED_OFFSET", "1"),
    ("JAX_DEFAULT_MATMUL_PRECISION", "bfloat16"),
    ("JAX_NUMPY_DTYPE_PROMOTION", "strict"),
    ("JAX_NUMPY_RANK_PROMOTION", "raise"),
    ("JAX_DISABLE_JIT", "1"),
    ("JAX_DEBUG_NANS", "1"),
    ("JAX_TRACEBACK_FILTERING", "nonsense"),
    ("JAX_ENABLE_COMPILATION_CACHE", "perhaps"),
    ("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "soon"),
    ("JAX_TRANSFER_GUARD", "disallow"),
    ("XLA_FLAGS", "--xla_cpu_enable_fast_math=true"),
    ("XLA_FLAGS", "--xla_nonsense=1"),
    ("XLA_FLAGS", "flags.txt"),
    ("OMP_NUM_THREADS", "3"),
    ("OPENBLAS_CORETYPE", "Prescott"),
    ("NPROC", "8"),
    ("NPY_DISABLE_CPU_FEATURES", "AVX2"),
    ("PANDAS_FUTURE_INFER_STRING", "0"),
    ("PYTHONWARNINGS", "error"),
    ("PYTHONHASHSEED", "1"),
    ("PYTHONOPTIMIZE", "2"),
    ("PYTHONSAFEPATH", "1"),
    ("LC_ALL", "C"),
    ("TZ", "Pacific/Kiritimati"),
]


def python(*words, folder, **variables):
    kept = {name: value for name, value in os.environ.items() if name not in (*THREADS, "XLA_FLAGS")}
    environment = kept | {"PYTHONPATH": str(REPOSITORY)} | variables
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)


def drawn(folder, **variables):
    words = ["-m", "molap.stages.testset", "--settings", TESTSET, "--output", "arrays=a.npz"]
    result = python(*words, folder=folder, **variables)
    assert result.returncode == 0, result.stderr
    return (folder / "a.npz").read_bytes()


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("plain"))


def tier(i):
    """The tier of a setting: each job that is run for one takes seconds."""
    return [] if i % 9 == 0 else [pytest.mark.exhaustive if i % 3 == 0 else pytest.mark.benchmarks]


@pytest.mark.parametrize(
    ("name", "value"),
    [pytest.param(*pair, marks=tier(i), id="=".join(pair)) for i, pair in enumerate(UNHEEDED)],
)
def test_a_job_computes_the_same_whatever_the_environment_says(name, value, plain, tmp_path):
    assert drawn(tmp_path, **{name: value}) == plain
    environment = json.loads((tmp_path / "a.record.json").read_text())["environment"]
    assert environment["jax"] == JAX and environment["platform"] == "cpu" and is_usual(environment)
    assert environment["xla_flags"] == CPU_FLAGS and environment["threads"] == dict.fromkeys(THREADS, "1")


def test_what_is_not_heeded_is_named_and_harmless_flags_are_kept(monkeypatch):
    for name, value in {"JAX_ENABLE_X64": "1", "OMP_NUM_THREADS": "4", "JAX_PLATFORMS": "cpu"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=/tmp/x --xla_cpu_enable_fast_math=true")
    monkeypatch.setattr(surroundings, "_backend_exists", lambda: False)
    assert fix() == ["JAX_ENABLE_X64=1", "OMP_NUM_THREADS=4", "XLA_FLAGS=--xla_cpu_enable_fast_math=true"]
    assert os.environ["XLA_FLAGS"] == f"--xla_dump_to=/tmp/x {CPU_FLAGS}" and os.environ["JAX_PLATFORMS"] == "cpu"
    assert "JAX_ENABLE_X64" not in os.environ and os.environ["OMP_NUM_THREADS"] == "1"
    assert fix() == [] and is_usual(ran_under())


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("jax", JAX | {"jax_enable_x64": True}),
        ("xla_flags", ""),
        ("xla_flags", CPU_FLAGS + " --xla_cpu_enable_fast_math=true"),
        ("threads", dict.fromkeys(THREADS, "2")),
        ("threads", None),
    ],
)
def test_a_record_of_other_settings_is_not_usual(part, value):
    assert is_usual(ran_under()) and not is_usual(ran_under() | {part: value})
    assert not is_usual(None)


def test_a_device_that_is_not_there_is_named(tmp_path):
    words = ["-m", "molap.stages.testset", "--settings", TESTSET, "--output", "arrays=a.npz"]
    result = python(*words, folder=tmp_path, JAX_PLATFORMS="rocm")
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "JAX_PLATFORMS: 'rocm' is not available here; unset it, or give cpu" in result.stderr


@pytest.mark.parametrize(
    "device", ["cuda", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("rocm", "nonsense"))]
)
def test_a_device_that_is_not_there_is_named_wherever_jax_is_used(tmp_path, device):
    (tmp_path / "tenth.py").write_text(TENTH)
    (tmp_path / "mine.yaml").write_text("tasks: {modules: [tenth.py]}\n")
    line = f"JAX_PLATFORMS: '{device}' is not available here; unset it, or give cpu"
    for words in (
        ["-m", "molap", "tasks", "show", "mem_pro", "--output", "a.npz"],
        ["-m", "molap", "plan", "counts", "--config", "mine.yaml"],
        ["-c", TRAIN.format(before="", train="train(small)")],
    ):
        result = python(*words, folder=tmp_path, JAX_PLATFORMS=device)
        assert result.returncode == 1 and result.stderr.count("\n") == 1 and line in result.stderr, result.stderr


def test_what_the_system_reads_before_python_is_refused(monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2")
    with pytest.raises(ConfigError, match=r"^GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-AVX2' is not allowed"):
        refuse()


TRAIN = """
import sys
{before}
from molap.interface import train
from molap.config.base import ConfigError
small = {{"tasks": {{"names": ["delay_pro", "mem_dm1"]}}, "network": {{"n_units": 12}}, "corpus": {{"n_trials": 20}},
    "pretraining": {{"n_steps": 3, "batch_size": 5}}, "heads": {{"n_steps": 3, "batch_size": 5}},
    "generalisation": {{"left_out": []}}, "perturbations": {{"tasks": []}}, "tune": {{"tasks": ["mem_dm1"]}}}}
try:
    {train}
except ConfigError as error:
    sys.exit(str(error))
import jax, hashlib
print(hashlib.sha256(b"".join(v.tobytes() for v in trained["mem_dm1"].weights.values())).hexdigest())
print(jax.config.jax_enable_x64)
"""
CALL = "trained = train(small, 'pca')"


@pytest.mark.exhaustive
def test_train_gives_the_same_bits_or_refuses(tmp_path):
    def weights(before, train=CALL, **variables):
        result = python("-c", TRAIN.format(before=before, train=train), folder=tmp_path, **variables)
        return result.stdout.split(), result.stderr

    (usual, x64), error = weights("")
    assert x64 == "False", error
    switched_on = "import jax; jax.config.update('jax_enable_x64', True)"
    assert weights(switched_on)[0] == [usual, "True"], "held while it trains, and given back"
    assert weights("import numpy as np; np.ones((300, 300)) @ np.ones((300, 300))")[0] == [usual, "False"]
    assert weights("", JAX_DEFAULT_PRNG_IMPL="rbg", OMP_NUM_THREADS="2")[0] == [usual, "False"]
    out, error = weights("import jax.numpy as jnp; jnp.ones(3) + 1")
    assert out == [] and "JAX has computed before molap was imported" in error and error.count("\n") == 1
    out, error = weights("import jax", f"\n    with jax.enable_x64(True):\n        {CALL}")
    assert out == [] and error.startswith("jax_enable_x64: True is not allowed, since numbers depend on it")


def test_a_task_file_that_sets_jax_is_refused_and_nothing_stays_set(tmp_path):
    import jax

    file = tmp_path / "double.py"
    file.write_text(
        "import jax\nfrom molap.tasks.registry import BUILT_IN\njax.config.update('jax_debug_nans', True)\n"
        "TASKS = [BUILT_IN[0]._replace(name='late', label='T10')]\n"
    )
    with pytest.raises(ConfigError, match=r"double.py' sets jax_debug_nans of JAX, on which the numbers of all jobs"):
        load_tasks((str(file),))
    assert jax.config.jax_debug_nans is False


@pytest.mark.exhaustive
def test_a_figure_is_the_same_whatever_matplotlib_is_told(tmp_path):
    table = tmp_path / "table1.csv"
    table.write_bytes((REPOSITORY / "docs" / "reference" / "tables" / "table1.csv").read_bytes())
    outputs = [f"{ending}=fig.{ending}" for ending in ("png", "svg", "pdf")] + ["data=fig.csv"]
    words = ["-m", "molap.stages.fig1c", "--settings", "{}", "--input", "table1=table1.csv"]
    words += [word for output in outputs for word in ("--output", output)]

    def figure(**variables):
        result = python(*words, folder=tmp_path, **variables)
        assert result.returncode == 0, result.stderr
        return [(tmp_path / f"fig.{ending}").read_bytes() for ending in ("png", "svg", "pdf")]

    usual = figure()
    (tmp_path / "home").mkdir()
    rc = "savefig.bbox: tight\nsavefig.facecolor: red\nlines.linewidth: 7\naxes.formatter.use_mathtext: True\n"
    (tmp_path / "home" / "matplotlibrc").write_text(rc + "savefig.transparent: True\npath.simplify: False\n")
    assert figure(MPLCONFIGDIR=str(tmp_path / "home")) == usual
    assert figure(MATPLOTLIBRC=str(tmp_path / "home" / "matplotlibrc"), MPLBACKEND="nonsense") == usual
    assert figure(SOURCE_DATE_EPOCH="0", LC_ALL="C") == usual
