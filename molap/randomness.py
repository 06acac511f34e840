"""Random keys derived by name, so that adding a draw changes no other."""

import zlib

import jax
from jaxtyping import Array, Key


def named_key(seed: int, *names: str | int) -> Key[Array, ""]:
    """The key of the stream `names` under `seed`.

    Strings enter by their CRC-32, integers as they are; the order of names matters.
    """
    key = jax.random.key(seed)
    for name in names:
        key = jax.random.fold_in(key, zlib.crc32(name.encode()) if isinstance(name, str) else name)
    return key
