"""Pre-train one module on its latent primitive, starting from the network after the previous module (A.2.1)."""

from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from jax.tree_util import Partial

from molap.config.training import PretrainingSettings
from molap.jobs.job import Job, run_job
from molap.networks.masks import pretraining_block, pretraining_weights
from molap.networks.rnn import from_arrays, select_network
from molap.primitives.variates import Primitives, draw_primitive_trials, module_variates
from molap.stages.training_job import TrainingSettings, train_and_save
from molap.storage.files import load_arrays
from molap.tasks.corpus import Lengths
from molap.tasks.registry import load_tasks
from molap.training.loop import DrawBatch
from molap.training.objectives import Objective, task_objective

if TYPE_CHECKING:
    from molap.config.tasks import TrialSettings


@runtime_checkable
class ModuleSettings(Protocol):
    """Settings that the training of a module depends on, here and in the search."""

    @property
    def trials(self) -> "TrialSettings": ...
    @property
    def state_noise(self) -> float: ...
    @property
    def phase(self) -> PretrainingSettings: ...
    @property
    def source(self) -> str: ...
    @property
    def joint(self) -> bool: ...
    @property
    def n_modules(self) -> int: ...
    @property
    def tasks(self) -> tuple[str, ...]: ...
    @property
    def alignment(self) -> str: ...
    @property
    def lengths(self) -> Lengths: ...


class Settings(TrainingSettings):
    """Settings that a module depends on, besides the fit and the previous network."""

    phase: PretrainingSettings
    source: Literal["cca", "pca"]
    joint: bool
    module: int
    n_modules: int
    tasks: tuple[str, ...]
    alignment: Literal["aligned", "independent"]
    lengths: Lengths = "pad"


def work(job: Job[Settings]) -> None:
    """Train module m on component m."""
    settings = job.settings
    params = from_arrays(load_arrays(job.inputs["network"]))
    primitives = Primitives.from_flat(load_arrays(job.inputs["primitives"]))
    trainable = pretraining_weights(
        select_network(params, 0), settings.n_modules, settings.module, settings.phase.input_weights
    )
    draw_batch = module_batches(primitives, settings, settings.module, settings.phase.batch_size)
    objective = module_objective(settings, params.w_rec.shape[-1], settings.module)
    train_and_save(job, params, trainable, draw_batch, f"module{settings.module}", objective=objective)


def module_objective(settings: ModuleSettings, n_units: int, module: int) -> Objective:
    """Return the loss on a module's component, with the gradient of W_rec that the module needs."""
    block = pretraining_block(n_units, settings.n_modules, module, settings.phase.input_weights)
    return task_objective(settings.phase, settings.state_noise, block=block)


def module_batches(primitives: Primitives, settings: ModuleSettings, module: int, batch_size: int) -> DrawBatch:
    """Return a function that draws batches of a module's component.

    Raises:
        ValueError: if the fit has no component for this module.
    """
    available = len(primitives.correlations)
    if module > available:
        raise ValueError(
            f"network.n_modules: {settings.n_modules} is not allowed; there is no component for module "
            f"{module}, the {settings.source} fit of this corpus has {available}"
        )
    tasks = [load_tasks(settings.trials.modules)[name] for name in settings.tasks]
    aligned = settings.alignment == "aligned"

    def draw(pair, key):
        s = settings
        return draw_primitive_trials(pair, tasks, key, batch_size, s.trials, aligned, s.joint, s.lengths)

    # The fit is an argument of the compiled program, which can therefore be used for other fits of the same corpus.
    return Partial(draw, module_variates(primitives, module - 1))


if __name__ == "__main__":
    run_job("module", Settings, work)
