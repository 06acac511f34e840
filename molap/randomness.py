"""Random keys derived by name, so that adding a draw changes no other."""

import zlib

import jax
from jaxtyping import Array, Key

LARGEST_SEED = 2**32 - 1


def named_key(seed: int, *names: str | int) -> Key[Array, ""]:
    """The key of the stream `names` under `seed`; the order of names matters.

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
    """The key of a stream under `key`. Strings enter by their CRC-32, integers as they are."""
    return jax.random.fold_in(key, zlib.crc32(name.encode()) if isinstance(name, str) else name)
