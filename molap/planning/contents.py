"""The contents of a run: kinds of networks, orders of tasks, blocks of seeds, and what the figures show."""

from collections.abc import Sequence
from hashlib import sha256

from molap.claims.model import Claims
from molap.config.network import LARGEST_N_UNITS
from molap.config.perturbations import StrengthSettings, strength_of
from molap.config.run import RunConfig, TaskShape, known_tasks, shapes
from molap.config.tasks import TASK_LABELS
from molap.config.tune import Candidate
from molap.storage.paths import ALL_TASKS, FITTED, IN_SEQUENCE, block_name

GLOBAL = tuple(name for name in StrengthSettings.model_fields if name not in ("module", "inter_module"))
"""Perturbations of the whole network, in the order of the figures."""
FIRST_TASKS = tuple(TASK_LABELS)[:4]
"""T1 to T4, which Figs S1 and S3 show; Figs S2 and S4 show all others."""


def kinds(c: RunConfig) -> list[str]:
    """Return the kinds of trained networks, as file names contain them."""
    return ["separate", *molap_kinds(c), *c.dni.kinds]


def molap_kinds(c: RunConfig) -> list[str]:
    """Return the kinds with heads: on pre-trained modules, on random reservoirs, and on the user's own networks."""
    return [f"molap-{source}" for source in (*c.primitives.sources, *c.reservoirs.files)]


def sequence_kinds(c: RunConfig) -> list[str]:
    """Return the kinds of networks that learn the tasks in sequence."""
    return [kind for kind in c.dni.kinds if kind.partition("-")[0] in IN_SEQUENCE]


def baseline_kinds(c: RunConfig) -> list[str]:
    """Return the kinds of networks with which those that learn one task after another are compared."""
    own = sequence_kinds(c)
    return [kind for kind in dict.fromkeys((*c.dni.baselines, *c.dni.kinds)) if kind not in own]


def task_order(c: RunConfig, order: int | str) -> list[str]:
    """Return the tasks in the order in which they are learned: 0 as listed, other orders shuffled by the data seed.

    Tasks are sorted by a digest of each name, so that adding a task keeps the others in their order.
    """
    if int(order) == 0:
        return list(c.tasks.names)
    return sorted(c.tasks.names, key=lambda name: sha256(f"{c.seeds.data} {order} {name}".encode()).hexdigest())


def fitted_sources(c: RunConfig) -> list[str]:
    """Return the sources that are fitted on the corpus."""
    return [source for source in c.primitives.sources if source in FITTED]


def chain_sources(c: RunConfig) -> list[str]:
    """Return the fitted sources for which tasks are left out."""
    chosen = c.generalisation.sources
    return [source for source in fitted_sources(c) if chosen is None or source in chosen]


def plateau_tasks(c: RunConfig) -> list[str]:
    """Return the tasks whose separate networks are examined for what keeps them on a plateau.

    Unless others are chosen, these are T5 and T9, on which networks used to fail, or the last task if neither is
    trained.
    """
    if c.figures.plateau_tasks is not None:
        return list(c.figures.plateau_tasks)
    names = c.tasks.names
    return [name for name in ("mem_dm1", "multi_mem") if name in names] or [names[-1]]


def example_kinds(c: RunConfig) -> list[str]:
    """Return the kinds of Fig 2 D and E that are trained: with pre-training (the first source) and without."""
    return [f"molap-{source}" for source in (*fitted_sources(c)[:1], "none") if source in c.primitives.sources]


def corpus_tasks(c: RunConfig) -> list[str]:
    """Return the tasks of the corpus."""
    without = c.generalisation.without
    if len(without) == 1 and c.generalisation.single == "kept":
        without = ()
    return [name for name in c.tasks.names if name not in without]


def left_out_sets(c: RunConfig) -> list[tuple[str, ...]]:
    """Return the sets of tasks that are left out, one set per run; none if nothing is fitted on the corpus."""
    names, chosen = c.tasks.names, c.generalisation.left_out
    if not chain_sources(c) or c.generalisation.without:
        return []
    if chosen is not None:
        return list(chosen)
    pairs = [(name, names[(i + 1) % len(names)]) for i, name in enumerate(names)]
    return [(name,) for name in names if len(names) > 1] + [pair for pair in pairs if len(names) > 2]


def module_sizes(c: RunConfig) -> dict[str, tuple[str, int, int]]:
    """Return the runs that vary the number of modules r: name → (what is held fixed, r, number of units).

    Networks larger than the largest that can be configured are omitted.
    """
    found, own = {}, c.network.n_units // c.network.n_modules
    for r in c.modules.numbers:
        for fixed, n_units in (("network", nearest_multiple(c.network.n_units, r)), ("module", r * own)):
            if 2 <= n_units <= LARGEST_N_UNITS:
                found[f"{fixed}-r{r}"] = (fixed, r, n_units)
    return found


def nearest_multiple(n: int, r: int) -> int:
    """Return the multiple of r, at least r, that is nearest to n."""
    return max(1, round(n / r)) * r


def scaling_sizes(c: RunConfig) -> list[int]:
    """Return the numbers of units for which weights are counted: multiples of the number of modules."""
    return sorted({nearest_multiple(n, c.network.n_modules) for n in c.figures.scaling_units})


def module_kinds(c: RunConfig) -> list[str]:
    """Return the kinds for which the number of modules varies: the first fitted source, and no pre-training."""
    return example_kinds(c)


def module_fits(c: RunConfig) -> list[str]:
    """Return the sources of `module_kinds` that are fitted on the corpus."""
    return fitted_sources(c)[:1]


def followed_tables(c: RunConfig, claims: Claims) -> list[str]:
    """Return the tables that the followed claims need from a run with a reading switched."""
    made = ["performance"] + ["robustness", "areas"] * bool(sweep(c)) + ["generalisation"] * bool(left_out_sets(c))
    tests = [test for claim in claims.claims for test in claim.tests]
    needed = {test.table for test in tests} | {"performance" for test in tests if test.corpus}  # it names the tasks
    return [name for name in made if name in needed]


def blocks(c: RunConfig) -> list[str]:
    """Return the network seeds in blocks that are trained together; more seeds only add blocks."""
    seeds = range(c.seeds.first, c.seeds.first + c.seeds.networks)
    return [block_name(seeds[i : i + c.seeds.per_job]) for i in range(0, len(seeds), c.seeds.per_job)]


def labels(c: RunConfig) -> dict[str, str]:
    """Return the label (T1 …) of every task of the run."""
    return {name: known_tasks(c.tasks.modules)[name] for name in c.tasks.names}


def label_pairs(c: RunConfig, tasks: Sequence[str] | None = None) -> list[list[str]]:
    """Return task and label of every task of the run, or of some, as settings hold them (`Labels`)."""
    of = labels(c)
    return [[task, of[task]] for task in (c.tasks.names if tasks is None else tasks)]


def task_shape(c: RunConfig, task: str) -> TaskShape:
    """Return the sizes of a task's trials."""
    return shapes(c.tasks.modules)[task]


def shown(c: RunConfig, task: str) -> dict:
    """Return how figures name the outputs of a user's task, and the duration of its steps; nothing for the nine."""
    shape = task_shape(c, task)
    return {"outputs": list(shape.outputs), "dt": shape.dt} if shape.outputs else {}


def defining_modules(c: RunConfig, names: Sequence[str]) -> list[str]:
    """Return the user's modules that define some of these tasks."""
    return [module for module in c.tasks.modules if (known_tasks((module,)).keys() - TASK_LABELS.keys()) & {*names}]


def perturbed_kinds(c: RunConfig) -> list[str]:
    """Return the kinds of networks that are perturbed."""
    if c.perturbations.kinds is not None:
        return list(c.perturbations.kinds)
    return [kind for kind in kinds(c) if kind.partition("-")[0] not in ("sequential", "joint")]


def perturbed_tasks(c: RunConfig) -> list[str]:
    """Return the tasks whose networks are perturbed."""
    return list(c.tasks.names if c.perturbations.tasks is None else c.perturbations.tasks)


def lesion_task(c: RunConfig) -> str:
    """Return the task of Fig 3."""
    return c.perturbations.example_task or perturbed_tasks(c)[-1]


def lesioned_kind(c: RunConfig) -> str:
    """Return the kind whose outputs Fig 3 shows: pre-trained MoLaP if it is perturbed."""
    found = perturbed_kinds(c)
    return next((kind for kind in found if kind in ("molap-cca", "molap-pca")), found[0])


def n_modules(c: RunConfig, kind: str) -> int:
    """Return the number of modules that lesions distinguish in the networks of a kind."""
    own = _own_network(c, kind)
    return c.network.n_modules if own is None or own.modules is None else int(own.modules.max())


def modular(c: RunConfig, kind: str | None = None) -> list[str]:
    """Return the perturbations within and between modules that have strengths, for one kind or any perturbed kind."""
    modules = max((n_modules(c, one) for one in ([kind] if kind else perturbed_kinds(c))), default=0)
    names = [f"module{module}" for module in range(1, modules + 1)] if c.perturbations.module else []
    return names + ["inter_module"] * (bool(c.perturbations.inter_module) and modules > 1)


def _own_network(c: RunConfig, kind: str):
    source = kind.partition("-")[2]
    if source not in c.reservoirs.files:
        return None
    from molap.networks.own import read_reservoir  # imports NumPy only if there is a file to read

    return read_reservoir(c.reservoirs.files[source])


def n_units(c: RunConfig, kind: str) -> int:
    """Return the number of units of the networks of a kind."""
    if own := _own_network(c, kind):
        return len(own.w_rec)
    sizes = {"separate": c.separate_network.n_units, "molap": c.network.n_units}
    return sizes.get(kind.partition("-")[0], c.dni.n_units)


def sweep(c: RunConfig, kind: str | None = None) -> dict[str, list[float]]:
    """Return the strengths by perturbation, for one kind or for all; empty if nothing is perturbed."""
    if not perturbed_kinds(c) or not perturbed_tasks(c):
        return {}
    p = c.perturbations
    found = {name: p.inter_module if name == "inter_module" else p.module for name in modular(c, kind)}
    found |= {name: getattr(p, name) for name in GLOBAL if getattr(p, name)}
    return {name: list(strengths) for name, strengths in found.items()}


def lesions(c: RunConfig) -> list[str]:
    """Return the perturbations that set weights to zero."""
    return [name for name in sweep(c) if strength_of(name).lesion]


def curve_figures(c: RunConfig) -> dict[str, list[list[tuple[str, str]]]]:
    """Return by name the figures of accuracy against strength: rows of panels, each a task and a perturbation."""
    tasks, found = perturbed_tasks(c), {}
    first = [task for task in tasks if task in FIRST_TASKS]
    groups = [modular(c), [name for name in GLOBAL if name in sweep(c)]]
    for numbers, names in zip((("1", "2"), ("3", "4")), groups, strict=True):
        for number, some in zip(numbers, (first, [task for task in tasks if task not in first]), strict=True):
            found[f"figS{number}"] = [[(task, name) for name in names] for task in some if names]
    shown = dict.fromkeys([*tasks[:1], *([c.figures.example_task] if c.figures.example_task in tasks else [])])
    found["figS5"] = [[(task, name) for name in groups[1]] for task in shown if groups[1]]
    found["fig4"] = found["fig_relative"] = [[(ALL_TASKS, name) for name in names] for names in groups if names]
    return {figure: rows for figure, rows in found.items() if rows} if sweep(c) else {}


def grids(c: RunConfig) -> list[str]:
    """Return the names of the search's grids, from `grid1` on."""
    return [f"grid{i + 1}" for i in range(len(c.tune.grids))]


def candidates(c: RunConfig, grid: str, kind: str) -> list[dict]:
    """Return a grid's candidates for a kind of network; on random reservoirs W_rec does not learn and has no rate."""
    found = c.tune.grids[grids(c).index(grid)].candidates()
    if kind == "molap-none":
        found = [candidate.model_copy(update={"recurrent_rate": 1.0}) for candidate in found]
    return _each_once(found)


def pretraining_candidates(c: RunConfig, grid: str) -> list[dict]:
    """Return a grid's distinct candidates for pre-training, which has its own learning rate and number of steps."""
    own = {"learning_rate": None, "n_steps": c.pretraining.n_steps}
    found = c.tune.grids[grids(c).index(grid)].candidates()
    return _each_once([candidate.model_copy(update=own) for candidate in found])


def _each_once(found: Sequence[Candidate]) -> list[dict]:
    return list({candidate.name: candidate.model_dump(mode="json") for candidate in found}.values())
