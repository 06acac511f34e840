"""One program per rule of the workflow, each `python -m molap.stages.NAME`.

A program uses one thread (two programs of one thread do twice the work of one with two) and keeps what XLA
compiles on disk, so that the second program of a kind need not compile. Both are read from the environment
when NumPy and JAX are loaded, hence here, before any of them.
"""

import importlib.util
import os
import platform
import zlib


def _on_gpu() -> bool:
    """Say whether JAX will take a GPU: there is one, JAX has its plugin, and the user asks for no other device."""
    plugins = ("jax_cuda12_plugin", "jax_cuda13_plugin")
    wanted = os.environ.get("JAX_PLATFORMS", "cuda").split(",")[0] in ("cuda", "gpu", "")
    return wanted and os.path.exists("/proc/driver/nvidia") and any(map(importlib.util.find_spec, plugins))


for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
if _on_gpu():
    # XLA otherwise tries every way of computing each product, which took minutes for a program that runs for seconds.
    os.environ.setdefault("XLA_FLAGS", "--xla_gpu_enable_triton_gemm=false")
else:
    # NPROC is what XLA takes for the number of processors: with more, its pool of threads costs a tenth of the time.
    os.environ.setdefault("NPROC", "1")
    os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")


def _processor() -> str:
    """Compiled programs fit one kind of processor; nodes of a cluster may differ."""
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
