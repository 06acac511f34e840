"""One program per rule of the workflow, each run as `python -m molap.stages.NAME`.

A program uses one thread (two programs with one thread each do twice the work of one program with two) and caches on
disk what XLA compiles, so that the second program of a kind need not compile. NumPy and JAX read both settings from
the environment when they are loaded; they are therefore set here, before either is imported.
"""

import importlib.util
import os
import platform
import zlib


def _on_gpu() -> bool:
    """Return whether JAX will use a GPU: one exists, JAX has its plugin, and the user requests no other device."""
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    wanted = os.environ.get("JAX_PLATFORMS", "cuda").split(",")[0] in ("cuda", "gpu", "")
    return wanted and os.path.exists("/proc/driver/nvidia") and any(map(importlib.util.find_spec, plugins))


for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
if _on_gpu():
    # Otherwise XLA tries every way of computing each product, which took minutes for a program that runs for seconds.
    os.environ.setdefault("XLA_FLAGS", "--xla_gpu_enable_triton_gemm=false")
else:
    # XLA takes NPROC as the number of processors; with more than one, its thread pool costs a tenth of the time.
    os.environ.setdefault("NPROC", "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def _processor() -> str:
    """Return a name for the processor: compiled programs fit one kind, and nodes of a cluster may differ."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [line for line in file if line.startswith(("model name", "flags", "Features"))]
        text = "".join(sorted(set(lines)))
    except OSError:
        text = platform.processor() or platform.machine()
    return f"{zlib.crc32(text.encode()):08x}"


os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", os.path.join("results", ".cache", f"jax-{_processor()}"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")
