"""Fix what the user's own settings would otherwise decide: how NumPy, JAX and XLA compute, and how figures are drawn.

A result depends on settings, inputs, source and versions. JAX, XLA, OpenBLAS and others also heed variables of the
environment, and some of these change numbers. They are set or removed here, before NumPy and JAX are loaded. What a
program ran under stands in its record.
"""

import os
import platform
import re
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NPROC",  # XLA takes it as the number of processors; with more than one, its thread pool costs a tenth of the time
)
"""Numbers of threads: one each. Two programs with one thread do twice the work of one program with two."""
CPU_FLAGS = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
GPU_FLAGS = "--xla_gpu_enable_triton_gemm=false"
"""Otherwise XLA tries every way of computing each product, which took minutes for a program that runs for seconds."""
HARMLESS_FLAGS = re.compile(r"--xla_(dump_(to|hlo_as_\w+|hlo_module_re|hlo_pass_re)|gpu_cuda_data_dir)=\S+")
"""Flags of XLA that a user may set: they say what is written down, and where CUDA is."""
HEEDED = {
    "JAX_PLATFORMS",
    "JAX_CUDA_VISIBLE_DEVICES",
    "JAX_COMPILATION_CACHE_DIR",
    "JAX_ENABLE_COMPILATION_CACHE",
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES",
    "OMP_PROC_BIND",
    "OMP_PLACES",
    "KMP_DUPLICATE_LIB_OK",  # scikit-learn sets this and the next when it is imported
    "KMP_INIT_AT_FORK",
}
"""Variables with a prefix from below that change no number: which device computes, where programs are kept."""
NOT_HEEDED: tuple[str, ...] = (
    *("JAX_", "OMP_", "OPENBLAS_", "GOTO_", "MKL_", "KMP_", "BLIS_", "ONEDNN_", "DNNL_", "NPY_", "TF_XLA_"),
    *("CUBLAS_", "NVIDIA_TF32", "SKLEARN_", "SCIPY_", "PANDAS_"),
    *("MPLBACKEND", "MATPLOTLIBRC", "SOURCE_DATE_EPOCH", "PYTHONWARNINGS", "PYTHONINSPECT"),
)
"""Beginnings of the names of variables that are removed, since numbers or figures may depend on them."""
JAX: dict[str, Any] = {
    "jax_enable_x64": False,
    "jax_default_prng_impl": "threefry2x32",
    "jax_threefry_partitionable": True,
    "jax_random_seed_offset": 0,
    "jax_default_matmul_precision": None,
    "jax_numpy_dtype_promotion": "standard",
    "jax_disable_jit": False,
    "jax_debug_nans": False,
    "jax_debug_infs": False,
}
"""JAX's settings on which numbers depend; those of its defaults that another version might change are named as well."""
TRUTH = {"1", "0", "true", "false", "yes", "no", "on", "off"}
UNFIXABLE = {"GLIBC_TUNABLES": "glibc.cpu"}
"""Variables that the system reads before Python starts, and the words in them that choose other arithmetic."""
SHOWN = ("LD_PRELOAD", "GLIBC_TUNABLES")
"""Variables that are noted in the record as they are."""

_too_late: list[str] = []


def fix() -> list[str]:
    """Set or remove the environment's variables on which results depend.

    Returns:
        The variables of the user's that are not heeded, as `NAME=value`.
    """
    ignored = []
    for name in [name for name in os.environ if name.startswith(NOT_HEEDED)]:
        value = os.environ[name]
        truth = name != "JAX_ENABLE_COMPILATION_CACHE" or value.lower() in TRUTH
        if name not in THREADS and not (name in HEEDED and truth):
            ignored.append(f"{name}={os.environ.pop(name)}")
    for name in THREADS:
        if os.environ.get(name, "1") != "1":
            ignored.append(f"{name}={os.environ[name]}")
        _set(name, "1")
    theirs = os.environ.get("XLA_FLAGS", "").split()
    ours = (GPU_FLAGS if _on_gpu() else CPU_FLAGS).split()
    kept = [flag for flag in theirs if HARMLESS_FLAGS.fullmatch(flag)]
    ignored += [f"XLA_FLAGS={flag}" for flag in theirs if flag not in {*kept, *CPU_FLAGS.split(), *GPU_FLAGS.split()}]
    _set("XLA_FLAGS", " ".join([*kept, *ours]))
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.path.join("results", ".cache", f"jax-{kind_of_processor()}"))
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    if sys.warnoptions:  # PYTHONWARNINGS=error would make an error of a package's remark
        sys.warnoptions.clear()
        warnings.resetwarnings()
        for remark in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
            warnings.simplefilter("ignore", remark)
    return ignored


def _set(name: str, value: str) -> None:
    """Set a variable that XLA reads once; note if that is too late."""
    if os.environ.get(name) == value:
        return
    if name in ("XLA_FLAGS", "NPROC") and _backend_exists():
        _too_late.append(f"{name}={os.environ.get(name, '')}")
    os.environ[name] = value


def _backend_exists() -> bool:
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and getattr(bridge, "backends_are_initialized", lambda: True)()


def _on_gpu() -> bool:
    """Return whether JAX will use a GPU: one exists, JAX has its plugin, and the user requests no other device."""
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    wanted = os.environ.get("JAX_PLATFORMS", "cuda").split(",")[0] in ("cuda", "gpu", "")
    return wanted and os.path.exists("/proc/driver/nvidia") and any(map(find_spec, plugins))


def kind_of_processor() -> str:
    """Return a name for the processor: compiled programs fit one kind, and nodes of a cluster may differ."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith(("model name", "flags", "Features"))]
        text = "".join(sorted(set(lines)))
    except OSError:
        text = platform.processor() or platform.machine()
    return f"{zlib.crc32(text.encode()):08x}"


def jax_settings() -> dict[str, Any] | None:
    """Return the settings of JAX on which numbers depend, as plain values; None where JAX is not loaded."""
    if "jax" not in sys.modules:
        return None
    config = sys.modules["jax"].config
    values = {name: getattr(config, name) for name in JAX if hasattr(config, name)}
    return {name: getattr(value, "value", value) for name, value in values.items()}


def restore(before: dict[str, Any] | None) -> str:
    """Give JAX's settings the values that they had before, and return the names of those that had changed."""
    now = jax_settings() or {}
    changed = [name for name, value in (before or {}).items() if now[name] != value]
    for name in changed:
        sys.modules["jax"].config.update(name, (before or {})[name])
    return ", ".join(changed)


def ran_under() -> dict[str, Any]:
    """Return what stands in a record: settings of JAX, flags of XLA, numbers of threads, the kind of processor."""
    noted = {name: os.environ[name] for name in SHOWN if name in os.environ}
    return {
        "jax": jax_settings(),
        "platform": sys.modules["jax"].default_backend() if "jax" in sys.modules and _backend_exists() else None,
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "threads": {name: os.environ.get(name) for name in THREADS},
        "processor_kind": kind_of_processor(),
    } | ({"noted": noted} if noted else {})


def is_usual(environment: Any) -> bool:
    """Return whether a record's job ran under the settings that are fixed here, on whatever device and processor."""
    if not isinstance(environment, dict):
        return False
    flags = {flag for flag in str(environment.get("xla_flags")).split() if not HARMLESS_FLAGS.fullmatch(flag)}
    jax, threads = environment.get("jax"), environment.get("threads")
    return (
        flags in ({*CPU_FLAGS.split()}, {*GPU_FLAGS.split()})
        and (jax is None or (isinstance(jax, dict) and all(JAX[name] == jax.get(name) for name in JAX.keys() & jax)))
        and threads == dict.fromkeys(THREADS, "1")
    )


def refuse() -> None:
    """Refuse to compute where something that cannot be fixed would change the numbers.

    Raises:
        ConfigError: in one line, with the variable or setting and what is needed.
    """
    from molap.config.base import ConfigError  # `molap --help` needs no pydantic

    for name, words in UNFIXABLE.items():
        if words in os.environ.get(name, ""):
            raise ConfigError(f"{name}: {os.environ[name]!r} is not allowed, since numbers depend on it; unset it")
    if _too_late:
        raise ConfigError(
            f"{_too_late[0]}: JAX has computed before molap was imported, and XLA reads this only once; import molap "
            "first, in a new process"
        )
    for name, value in (jax_settings() or {}).items():
        if value != JAX[name]:
            raise ConfigError(f"{name}: {value!r} is not allowed, since numbers depend on it; it must be {JAX[name]!r}")


def unusable_device() -> str | None:
    """Return why JAX cannot use the devices that the environment names; None if it can, or if none is named."""
    wanted = os.environ.get("JAX_PLATFORMS")
    if not wanted or "jax" not in sys.modules:
        return None
    jax = sys.modules["jax"]
    try:
        jax.devices()
    except Exception:  # a plugin may raise anything
        return f"JAX_PLATFORMS: {wanted!r} is not available here; unset it, or give cpu, which always is"
    return None


def refuse_unusable_device() -> None:
    """Refuse to compute if JAX cannot use the devices that the environment names.

    Raises:
        ConfigError: in one line, with the variable.
    """
    from molap.config.base import ConfigError  # `molap --help` needs no pydantic

    if reason := unusable_device():
        raise ConfigError(reason)


@contextmanager
def held() -> Iterator[None]:
    """Hold JAX's settings and the threads of the libraries at the fixed values, in a process of the user's.

    Raises:
        ConfigError: if one of them cannot be fixed here.
    """
    from threadpoolctl import threadpool_limits

    before = jax_settings()
    restore({name: JAX[name] for name in before or {}})
    try:
        refuse()
        refuse_unusable_device()
        with threadpool_limits(1):
            yield
    finally:
        restore(before)
