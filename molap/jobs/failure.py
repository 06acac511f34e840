"""Explain to the user why a job failed: the error in one line, and what may help."""

import errno
import tempfile
import traceback

OUT_OF_MEMORY = ("RESOURCE_EXHAUSTED", "Out of memory allocating")
"""Words of XLA's errors, which have no class of their own."""
AGAIN = "then run snakemake as before"
MORE_MEMORY = f"run fewer jobs at a time (--cores), smaller batches, or a machine with more memory, {AGAIN}"
ADVICE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT), f"make room, {AGAIN}")
ADVICE |= dict.fromkeys((errno.EROFS, errno.EACCES, errno.EPERM), f"make the folder writable, {AGAIN}")


def explain(error: BaseException) -> str:
    """Return one line with the error and, if the machine is at fault rather than the job, what to do about it."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted; the same snakemake command goes on from here"
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if isinstance(error, MemoryError) or any(words in text for words in OUT_OF_MEMORY):
        return f"out of memory ({text}); {MORE_MEMORY}"
    advice = ADVICE.get(error.errno) if isinstance(error, OSError) and error.errno else None
    return f"{text}; {advice}" if advice else text


def file_of_traceback(error: BaseException) -> str:
    """Write the traceback to a file, since a terminal gets one line, and return where it is; empty if that fails."""
    try:
        with tempfile.NamedTemporaryFile("w", prefix="molap-", suffix=".log", delete=False, encoding="utf-8") as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return ""
    return file.name
