"""Intermediate results of a sweep of perturbed networks: what has been computed, and what is still missing."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from molap.evaluation.sweep import Perturbed
from molap.networks.rnn import Params
from molap.storage.files import FileDamaged, load_arrays, save_arrays


class Cells:
    """The results of a sweep so far: for each seed, perturbation and strength an array (draw, column).

    They are kept in a file beside the sweep's table, so that a killed sweep resumes where it stopped, and a sweep with
    more strengths, draws or perturbations computes only the new ones. A file with another identity is ignored.
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
        """Return how many draws of a cell have been computed."""
        return len(self._values.get(_cell(names), ()))

    def get(self, *names: object) -> Float[np.ndarray, "draw column"]:
        """Return the results of a cell."""
        return self._values[_cell(names)]

    def add(self, row: dict[str, float | int], *names: object) -> None:
        """Add the results of one draw to a cell."""
        self.columns = list(row)
        values = np.array([list(row.values())], np.float64)
        known = self._values.get(_cell(names))
        self._values[_cell(names)] = values if known is None else np.concatenate([known, values])

    def save(self) -> None:
        """Write the file if there are new results."""
        n_rows = sum(map(len, self._values.values()))
        if n_rows > self._saved:
            columns = np.array(self.columns)
            save_arrays(self.file, {}, identity=np.array(self.identity), columns=columns, **self._values)
        self._saved = n_rows


def _cell(names: tuple) -> str:
    return " ".join(map(str, names))


def identity(settings: str, code: str, files: Iterable[str]) -> str:
    """Return a digest of all that determines a cell: settings, source, and the contents of the files read."""
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
    """Yield the perturbed networks that `cells` does not hold yet, draw by draw."""
    known = {strength: cells.draws(*names, strength) for strength in strengths}
    for draw in range(n_draws):
        wanted = tuple(strength for strength, n in known.items() if n <= draw)
        if wanted:
            for strength, (network, n_hit) in zip(wanted, perturb_draw(draw, wanted), strict=True):
                yield Perturbed(strength, draw, int(n_hit), network)
