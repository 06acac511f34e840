"""What a sweep of perturbed networks has computed so far, and what is still missing."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float

from molap.evaluation.sweep import Perturbed
from molap.networks.rnn import Params
from molap.storage.files import FileDamaged, load_arrays, save_arrays


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
        """Return how many draws are known."""
        return len(self._values.get(_cell(names), ()))

    def get(self, *names: object) -> Float[np.ndarray, "draw column"]:
        """Return what is known of a cell."""
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
    """Return what determines a cell: settings, source, and the contents of the files that are read."""
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
