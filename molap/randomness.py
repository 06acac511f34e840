"""Random keys derived by name, so that adding a draw changes no other draw."""

import math
import zlib
from collections.abc import Sequence
from functools import partial

import jax
import numpy as np
from jaxtyping import Array, Float, Key

LARGEST_SEED = 2**32 - 1
LARGEST_SHARED = 4**8
"""Size up to which draws of `normal` share programs; above it, numbers drawn in excess would cost too much memory."""
MOST_NAMES = 8
"""Number of names up to which the keys of streams share one program; each larger number has a program of its own."""


def named_key(seed: int, *names: str | int) -> Key[Array, ""]:
    """Return the key of the stream `names` under `seed`; the order of names matters.

    Raises:
        ValueError: if the seed has more than 32 bits, of which JAX would silently use only the lower ones.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed: {seed} is not allowed; give 0 to {LARGEST_SEED}")
    data = np.zeros(max(MOST_NAMES, len(names)), np.uint32)
    data[: len(names)] = [_number(name) for name in names]
    return _named_key(np.uint32(seed), data, len(names))


@jax.jit
def _named_key(seed, data, n) -> Key[Array, ""]:
    """Fold in the first `n` numbers, one after the other."""
    return jax.lax.fori_loop(0, n, lambda i, key: jax.random.fold_in(key, data[i]), jax.random.key(seed))


def fold_in_name(key: Key[Array, ""], name: str | int) -> Key[Array, ""]:
    """Return the key of a stream under `key`. Strings are folded in by their CRC-32, integers as they are."""
    return _fold_in(key, np.uint32(_number(name)))


def stack_keys(keys: Sequence[Key[Array, ""]]) -> Key[Array, " key"]:
    """Stack keys into one array, without compiling a program."""
    data = np.stack([jax.random.key_data(key) for key in keys])
    return jax.random.wrap_key_data(data)  # type: ignore[arg-type]  # takes NumPy arrays, and then compiles nothing


def _number(name: str | int) -> int:
    return zlib.crc32(name.encode()) if isinstance(name, str) else name


_fold_in = jax.jit(jax.random.fold_in)


@jax.jit
def split(key: Key[Array, ""]) -> tuple[Key[Array, ""], Key[Array, ""]]:
    """Return two keys, identical to the bit to those of `jax.random.split`."""
    first, second = jax.random.split(key)
    return first, second


def normal(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array | np.ndarray, "..."]:
    """Draw from the standard normal, identical to the bit to `jax.random.normal`.

    Outside compiled programs, all small draws up to the same power of four share one program, because compiling
    takes far longer than drawing. Each number depends only on its position, so the first n of a longer draw are a
    draw of n.
    """
    if isinstance(key, jax.core.Tracer):
        return jax.random.normal(key, shape)
    n = math.prod(shape)
    partitionable = jax.config.jax_threefry_partitionable  # type: ignore[attr-defined]  # JAX adds flags at run time
    shared = n <= LARGEST_SHARED and partitionable
    longer = (4 ** max(3, math.ceil(math.log(max(n, 1), 4))),)
    with jax.core.eval_context():  # a key that a compiled function closes over is constant in it
        return np.asarray(_normal(key, longer if shared else shape)).reshape(-1)[:n].reshape(shape)


@partial(jax.jit, static_argnames="shape")
def _normal(key, shape: tuple[int, ...]):
    return jax.random.normal(key, shape)
