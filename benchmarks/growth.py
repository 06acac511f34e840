"""Measure how the time of a training step grows with units, trials and network seeds.

    python benchmarks/growth.py

All weights of separate networks, 110 steps of time, one thread. The rivals take turns in one run; an exponent is
log(ratio of times) / log 2 from one size to twice that.
"""

import argparse
import itertools
import math

import training_step
from training_step import drawing, in_turn, network, ours

SIZES = {
    "units": [(n, 200, 1) for n in (50, 100, 200, 400)],
    "trials": [(100, n, 1) for n in (50, 100, 200, 400)],
    "seeds": [(100, 200, n) for n in (1, 2, 4)],
}
"""By what grows: (units, trials, network seeds)."""


def main() -> None:
    """Print a table: by what grows, the sizes, milliseconds of a step, and exponents."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    arguments = parser.parse_args()
    training_step.CHUNK = 10
    print("| growing | sizes | ms per step | exponents |\n|---|---|---|---|")
    for name, sizes in SIZES.items():
        compared = {
            str((n_units, n_trials, n_seeds)): ours(network(n_units), drawing(n_trials), True, n_seeds)
            for n_units, n_trials, n_seeds in sizes
        }
        times = list(in_turn(compared, arguments.repeats).values())
        grown = [size[list(SIZES).index(name)] for size in sizes]
        exponents = [math.log2(b / a) for a, b in itertools.pairwise(times)]
        cells = [
            ", ".join(map(str, grown)),
            *(", ".join(f"{x:.{n}f}" for x in of) for of, n in ((times, 1), (exponents, 2))),
        ]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
