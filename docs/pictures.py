"""Draw the pictures of the documentation that no run of the workflow makes: `python docs/pictures.py`.

`model.png` shows the network and the protocol, after the paper's Fig 1A and B, with what each phase trains read from
the masks that training uses. With `--run results/paper`, `lesion.png` shows a network of that run on T7, intact and
with a tenth of module 1 lesioned.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

import molap
from molap.figures.style import COLOURS, RC
from molap.networks.masks import head_weights, pretraining_weights
from molap.networks.rnn import Params

IMAGES = Path(__file__).parent / "images"
MODULES = (COLOURS["cca"], COLOURS["dni"])
FROZEN, EMPTY, INK = "0.78", "0.95", "0.2"
N, N_MODULES, N_IN, N_OUT = 20, 2, 3, 2
"""Units, modules, inputs and outputs of the network whose masks are drawn."""
NAMES = {"W_in": r"$W_\mathrm{in}$", "W_rec": r"$W_\mathrm{rec}$", "W_out": r"$W_\mathrm{out}$"}


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], colour: str = INK, **style) -> None:
    """Draw an arrow between two points of a panel."""
    style = {"arrowstyle": "-|>", "mutation_scale": 11, "lw": 1.3, "shrinkA": 0, "shrinkB": 0} | style
    axes.add_patch(FancyArrowPatch(start, end, color=colour, **style))


def network(axes: Axes) -> None:
    """Draw the network: inputs, two modules within the reservoir, a readout for each task."""
    axes.set(xlim=(0, 10), ylim=(0, 6), aspect="equal")
    box = {"boxstyle": "round,pad=0,rounding_size=0.5", "fc": "0.97", "ec": "0.6"}
    axes.add_patch(FancyBboxPatch((2.9, 0.6), 4.2, 4.8, **box))
    axes.text(
        5,
        5.55,
        r"N = 100 units, $h(t) = \tanh(W_\mathrm{rec}\, h(t-1) + W_\mathrm{in}\, x(t))$",
        ha="center",
        va="bottom",
    )
    rng = np.random.default_rng(1)
    centres = []
    for i, (colour, y) in enumerate(zip(MODULES, (4.1, 1.9), strict=True)):
        angles = np.linspace(0, 2 * np.pi, 10, endpoint=False) + rng.uniform(-0.15, 0.15, 10)
        units = np.column_stack([5 + 1.25 * np.cos(angles), y + 0.75 * np.sin(angles)])
        for a, b in rng.choice(10, (14, 2)):
            axes.plot(*units[[a, b]].T, color=colour, lw=0.7, alpha=0.6)
        for unit in units:
            axes.add_patch(Circle(unit, 0.13, color=colour, zorder=3))
        axes.text(6.5, y, f"module {i + 1}", color=colour, va="center", rotation=90, ha="left", weight="bold")
        centres.append(units)
    for a, b in rng.choice(10, (8, 2)):
        axes.plot(*np.array([centres[0][a], centres[1][b]]).T, color="0.6", lw=0.5, ls=":", zorder=1)
    axes.text(3.05, 3, "between modules:\nrandom, frozen", color="0.4", va="center", fontsize=7)
    for y, name in zip((4, 3, 2), ("fixation", "cos θ", "sin θ"), strict=True):
        axes.text(0.95, y, name, ha="right", va="center")
        arrow(axes, (1.05, y), (2.85, 3 + 0.8 * (y - 3)))
    axes.text(1.95, 4.35, NAMES["W_in"], ha="center")
    for y, name in zip((4.4, 3.4, 2.4, 1.4), ("T1", "T2", "…", "T9"), strict=True):
        axes.text(9.1, y, name, va="center")
        if name != "…":
            arrow(axes, (7.15, 3 + 0.7 * (y - 2.9)), (8.95, y))
    axes.text(8.05, 4.75, NAMES["W_out"], ha="center")


def matrices(axes: Axes, title: str, text: str, masks, colour) -> None:
    """Draw W_in, W_rec and W_out, with the entries that a phase trains in colour."""
    axes.set(xlim=(-N_IN - 2, N + 2), ylim=(N + 5.5, -N_OUT - 4), aspect="equal")
    for name, mask, corner, shape in (
        ("W_in", masks.w_in, (-N_IN - 1, 0), (N, N_IN)),
        ("W_rec", masks.w_rec, (0, 0), (N, N)),
        ("W_out", masks.w_out, (0, -N_OUT - 1), (N_OUT, N)),
    ):
        trained = np.broadcast_to(mask, shape)
        axes.add_patch(Rectangle(corner, *shape[::-1], fc=FROZEN, ec="white", lw=0))
        rows, columns = np.nonzero(trained)
        if len(rows):  # what a phase trains of a matrix is one block of it
            place = corner[0] + columns.min(), corner[1] + rows.min()
            axes.add_patch(Rectangle(place, np.ptp(columns) + 1, np.ptp(rows) + 1, fc=colour, ec="none"))
        where = {
            "W_in": (corner[0] + N_IN / 2, N / 2, 90),
            "W_rec": (N * 0.75, N * 0.25, 0),
            "W_out": (N / 2, -N_OUT / 2 - 1, 0),
        }[name]
        dark = bool(trained.any()) and name != "W_rec"
        axes.text(*where[:2], NAMES[name], ha="center", va="center", rotation=where[2], color="white" if dark else INK)
    axes.text(N / 2 - 2, -N_OUT - 2, title, ha="center", weight="bold", color=colour)
    axes.text(N / 2 - 2, N + 1, text, ha="center", va="top")


def model() -> Figure:
    """Return the picture of the network and the protocol."""
    figure = Figure(figsize=(11, 7.2), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(1.15, 1))
    panels = above.subplots(1, 2, width_ratios=(1.35, 1))
    network(panels[0])
    corpus(panels[1])
    ones = np.ones(N_MODULES, int)
    params = Params(np.zeros((N, N_IN)), np.zeros((N, N)), np.zeros((N_OUT, N)))
    phases = [
        (f"module {m}", f"input U{m}, target V{m}", pretraining_weights(params, N_MODULES, m), MODULES[m - 1])
        for m in range(1, len(ones) + 1)
    ]
    phases.append(("head of each task", "the task's inputs and targets", head_weights(params), INK))
    for axes, phase in zip(below.subplots(1, 3), phases, strict=True):
        matrices(axes, *phase)
    for part, letter in ((above, "A"), (below, "B")):
        part.text(0.005, 0.99, letter, weight="bold", va="top", fontsize=12)
    below.suptitle("what each phase trains (colour); all else is frozen (grey)", x=0.03, ha="left", fontsize=9)
    for axes in figure.axes:
        axes.axis("off")
    return figure


def corpus(axes: Axes) -> None:
    """Draw how a corpus of tasks becomes latent primitives."""
    axes.set(xlim=(0, 8), ylim=(0, 6))
    steps = np.linspace(0, 1, 60)
    for x, name in ((0.2, "inputs"), (2.1, "targets")):
        for i in range(5):
            y = 4.7 - 0.85 * i
            wave = ((steps > 0.2 + 0.05 * i) & (steps < 0.75)) if x < 1 else (steps > 0.75) * (1 - 0.25 * i)
            axes.plot(x + 1.4 * steps, y + 0.45 * wave, color="0.35", lw=1)
        axes.text(x + 0.7, 5.55, name, ha="center", va="bottom")
    axes.text(1.85, 0.35, "corpus: trials of all tasks", ha="center")
    arrow(axes, (3.75, 3), (5.15, 3))
    axes.text(4.45, 3.2, "CCA", ha="center")
    for i, colour in enumerate(MODULES):
        y = 4 - 2 * i
        for x, shape, name in ((5.4, (steps > 0.3) & (steps < 0.75), "U"), (6.7, steps > 0.75, "V")):
            axes.plot(x + 1.0 * steps, y + 0.6 * shape * (1 - 0.3 * i), color=colour, lw=1.8)
            axes.text(x + 0.5, y - 0.15, f"{name}{i + 1}", ha="center", va="top", color=colour, weight="bold")
    axes.text(6.55, 0.35, "latent primitives", ha="center")


def lesion(run: Path) -> Figure:
    """Return the picture of a network that answers T7, intact and with a tenth of module 1 lesioned."""
    network = molap.open(run).network("molap-cca", "context_mem_dm1", seed=0)
    trials = network.trials()
    chosen = slice(0, 3)
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    columns = figure.subplots(2, 2, sharex=True, width_ratios=(1, 1.25))
    for row, (title, one) in zip(
        columns, (("intact", network), ("10 % of module 1 lesioned", network.perturb("module1", 10))), strict=True
    ):
        outputs, states = one.respond(trials), one.trajectories(trials)
        time = np.arange(len(outputs)) * trials.dt
        for k in range(chosen.start, chosen.stop):
            (line,) = row[0].plot(time, outputs[:, k, 1], lw=1.6)
            row[0].plot(time, trials.targets[:, k, 1], ls="--", lw=1, color=line.get_color())
        row[0].set(ylabel="output 2", ylim=(-0.1, 1.1), title=f"{title}: {one.score()['accuracy']:.0f} % correct")
        image = row[1].imshow(
            states[:, 0].T, aspect="auto", cmap="RdBu_r", vmin=-1, vmax=1, extent=(0, time[-1], states.shape[-1], 0)
        )
        row[1].set(ylabel="unit", title="rates in the first trial")
    for axes in columns[1]:
        axes.set_xlabel("time (ms)")
    figure.colorbar(image, ax=columns[:, 1], label="rate")
    columns[0, 0].plot([], [], color=INK, label="output")
    columns[0, 0].plot([], [], color=INK, ls="--", label="target")
    columns[0, 0].legend(loc="upper left")
    return figure


def main() -> None:
    """Write the pictures to `docs/images`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--run", type=Path, help="a finished run, for the picture of a lesion")
    run = parser.parse_args().run
    with matplotlib.rc_context(RC):
        pictures = {"model": model()} | ({"lesion": lesion(run)} if run else {})
        for name, figure in pictures.items():
            figure.savefig(IMAGES / f"{name}.png", dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
