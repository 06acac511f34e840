"""Random keys derived by name, so that adding a draw changes no other."""

import math
import zlib

import jax
import numpy as np
from jaxtyping import Array, Float, Key

LARGEST_SEED = 2**32 - 1
LARGEST_SHARED = 4**8
"""Size up to which draws of `normal` share programs: beyond, what is drawn and not used would cost memory."""


def named_key(seed: int, *names: str | int) -> Key[Array, ""]:
    """Return the key of the stream `names` under `seed`; the order of names matters.

    Raises:
        ValueError: if the seed has more than 32 bits, of which JAX would silently use the lower ones.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise ValueError(f"seed: {seed} is not allowed; give 0 to {LARGEST_SEED}")
    key = jax.random.key(seed)
    for name in names:
        key = fold_in_name(key, name)
    return key


def fold_in_name(key: Key[Array, ""], name: str | int) -> Key[Array, ""]:
    """Return the key of a stream under `key`. Strings enter by their CRC-32, integers as they are."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()) if isinstance(name, str) else name)


def normal(key: Key[Array, ""], shape: tuple[int, ...]) -> Float[Array | np.ndarray, "..."]:
    """Draw from the standard normal, to the bit as `jax.random.normal` does.

    Outside of compiled programs all small draws up to the same power of four share one program, because compiling takes
    far longer than drawing: a number depends on its place alone, so that the first n of a longer draw are a draw of n.
    """
    if isinstance(key, jax.core.Tracer):
        return jax.random.normal(key, shape)
    n = math.prod(shape)
    shared = n <= LARGEST_SHARED and jax.config.jax_threefry_partitionable
    longer = (4 ** max(3, math.ceil(math.log(max(n, 1), 4))),)
    with jax.ensure_compile_time_eval():  # a key that a compiled function closes over is a constant there
        return np.asarray(jax.random.normal(key, longer if shared else shape)).reshape(-1)[:n].reshape(shape)
