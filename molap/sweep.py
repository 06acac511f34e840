"""Many perturbed networks on one test set, a few at a time, and what was computed so far."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int, Key

from molap.config.perturbations import PerturbationReadings
from molap.memory import PROCESS_MB
from molap.networks.rnn import Params, draw_state_noise, run, stack_networks
from molap.perturbations import Modules, find, module_of
from molap.randomness import named_key
from molap.storage.files import FileDamaged, load_arrays, save_arrays

LARGEST_BATCH = 256
"""Networks that run at once on a GPU at most; more of them are not faster."""


class Perturbed(NamedTuple):
    """A perturbed network and where it belongs."""

    strength: float
    draw: int
    n_hit: int
    network: Params


@jax.jit
def outputs(
    params: Params,
    inputs: Float[Array, "time trial channel"],
    noise: Float[Array | np.ndarray, "time trial unit"] | None = None,
) -> Float[Array, "time trial output"]:
    """The outputs of `molap.networks.rnn.run`; its rates are not kept."""
    return run(params, inputs, noise)[0]


_outputs_of_several = jax.jit(jax.vmap(outputs, in_axes=(0, None, None)))


def test_noise(
    data_seed: int, std: float, inputs: Float[np.ndarray, "step every_trial channel"], n_units: int, n_trials: int
) -> Float[Array | np.ndarray, "step trial unit"] | None:
    """State noise of the first trials of a test set: what the evaluation draws for all of them."""
    noise = draw_state_noise(named_key(data_seed, "state noise"), std, inputs.shape[1], len(inputs), n_units)
    return None if noise is None else noise[:, :n_trials]


def perturbation_key(data_seed: int, name: str, network_seed: int) -> Key[Array, ""]:
    """The stream of a perturbation's draws: the same for networks of every kind, so that kinds are paired."""
    return named_key(data_seed, "perturbation", name, network_seed)


def modules_of(arrays: dict[str, np.ndarray], n_units: int, n_modules: int) -> Modules:
    """The module of every unit: as the network's file has it, or else equal blocks."""
    return tuple(arrays["modules"].tolist()) if "modules" in arrays else module_of(n_units, n_modules)


def perturb(
    key: Key[Array, ""],
    draw: int | Int[Array, ""],
    network: Params,
    name: str,
    strengths: tuple[float, ...],
    readings: PerturbationReadings,
    modules: Modules,
) -> list[tuple[Params, Int[Array, ""]]]:
    """Return one draw of a perturbation at several strengths; (network, number hit) of each."""
    found = _perturbed(key, draw, network, name, strengths, readings, modules)
    return [(network._replace(**weights), n_hit) for weights, n_hit in found]


@partial(jax.jit, static_argnames=("name", "strengths", "readings", "modules"))
def _perturbed(key, draw, network: Params, name, strengths, readings, modules) -> list[tuple[dict[str, Array], int]]:
    """Return the weights that a perturbation changes: the program does not depend on the shapes of the others."""
    key, found = jax.random.fold_in(key, draw), []
    for strength in strengths:
        after, n_hit = find(name)(key, network, strength, readings, modules)
        weights = after._asdict().items()
        found.append(({name: value for name, value in weights if value is not getattr(network, name)}, n_hit))
    return found


def respond(
    networks: Iterable[Perturbed],
    inputs: Float[np.ndarray, "time trial channel"],
    noise: Float[Array | np.ndarray, "time trial unit"] | None,
    batch: int = 1,
) -> Iterator[tuple[Perturbed, Float[np.ndarray, "time trial output"]]]:
    """The outputs of each network; `batch` of them at once, which serves a GPU, on a CPU one after the other."""
    waiting: list[Perturbed] = []
    for item in networks:
        waiting.append(item)
        if len(waiting) == batch:
            yield from _respond(waiting, inputs, noise, batch)
            waiting = []
    if waiting:
        yield from _respond(waiting, inputs, noise, batch)


def _respond(items: list[Perturbed], inputs, noise, batch: int):
    if batch == 1:
        return [(items[0], np.asarray(outputs(items[0].network, inputs, noise)))]
    filled = items + items[-1:] * (batch - len(items))
    stacked = stack_networks([item.network for item in filled])
    return zip(items, np.asarray(_outputs_of_several(stacked, inputs, noise)), strict=False)


def batch_size(memory_mb: float, each_mb: float, backend: str | None = None) -> int:
    """How many networks run at once in the given memory: on a CPU one, which is fastest there, elsewhere all that fit.

    Raises:
        ValueError: if not even one fits.
    """
    if memory_mb < PROCESS_MB + each_mb:
        raise ValueError(
            f"mem_mb: {memory_mb:.0f} is not enough; one network on this test set needs {PROCESS_MB + each_mb:.0f} MB"
        )
    if (backend or jax.default_backend()) == "cpu":
        return 1
    return int(min((memory_mb - PROCESS_MB) / each_mb, LARGEST_BATCH))


class Cells:
    """What a sweep has computed so far: for each seed, perturbation and strength an array (draw, column).

    Kept in a file beside the sweep's table, so that a killed sweep goes on where it was, and one with more
    strengths, draws or perturbations computes only these. A file that comes of anything else is not used.
    """

    def __init__(self, file: Path, identity: str) -> None:
        self.file, self.identity = file, identity
        self.columns: list[str] = []
        self._values: dict[str, Float[np.ndarray, "draw column"]] = {}
        self._saved = 0
        try:
            arrays = load_arrays(file)
        except (FileNotFoundError, FileDamaged):
            return
        if str(arrays.pop("identity", "")) == identity:
            self.columns = arrays.pop("columns").tolist()
            self._values = arrays
            self._saved = sum(map(len, arrays.values()))

    def draws(self, *names: object) -> int:
        """How many draws are known."""
        return len(self._values.get(_cell(names), ()))

    def get(self, *names: object) -> Float[np.ndarray, "draw column"]:
        """What is known of a cell."""
        return self._values[_cell(names)]

    def add(self, row: dict[str, float | int], *names: object) -> None:
        """Add a draw."""
        self.columns = list(row)
        values = np.array([list(row.values())], np.float64)
        known = self._values.get(_cell(names))
        self._values[_cell(names)] = values if known is None else np.concatenate([known, values])

    def save(self) -> None:
        """Write the file if there is anything new."""
        n_rows = sum(map(len, self._values.values()))
        if n_rows > self._saved:
            columns = np.array(self.columns)
            save_arrays(self.file, {}, identity=np.array(self.identity), columns=columns, **self._values)
        self._saved = n_rows


def _cell(names: tuple) -> str:
    return " ".join(map(str, names))


def identity(settings: str, code: str, files: Iterable[str]) -> str:
    """What determines a cell: settings, source, and the contents of the files that are read."""
    digest = hashlib.sha256(f"{settings} {code}".encode())
    for file in files:
        digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def missing(
    cells: Cells,
    perturb_draw: Callable[[int, tuple[float, ...]], list[tuple[Params, int]]],
    names: tuple,
    strengths: Iterable[float],
    n_draws: int,
) -> Iterator[Perturbed]:
    """The perturbed networks that `cells` does not hold yet, draw by draw."""
    known = {strength: cells.draws(*names, strength) for strength in strengths}
    for draw in range(n_draws):
        wanted = tuple(strength for strength, n in known.items() if n <= draw)
        if wanted:
            for strength, (network, n_hit) in zip(wanted, perturb_draw(draw, wanted), strict=True):
                yield Perturbed(strength, draw, int(n_hit), network)
