"""The objective of joint training: the loss on batches of all tasks at once."""

import jax
import jax.numpy as jnp
import numpy as np

from molap.config.training import PhaseSettings
from molap.networks.rnn import Params, draw_state_noise, respond
from molap.networks.shared import Layout, all_inputs
from molap.tasks.task import Task
from molap.training.objectives import Objective, mean_squared_error


def joint_objective(phase: PhaseSettings, state_noise: float, layout: Layout, tasks: list[Task]) -> Objective:
    """Return the loss of `objectives.loss` with the squared error averaged over tasks; one run covers all trials.

    The weights of rule inputs are not penalised, as in a sequence, where they act as biases. Trials of a shorter task
    go on without inputs until the longest has ended; these steps count in the penalty of activity, not in the error.
    """
    penalised = np.array([i for i, name in enumerate(layout.inputs) if not name.startswith("rule:")])

    def objective(network: Params, batches, key: jax.Array):
        inputs = [all_inputs(layout, task, batch[0]) for task, batch in zip(tasks, batches, strict=True)]
        longest = max(part.shape[0] for part in inputs)
        together = jnp.concatenate(
            [jnp.pad(part, ((0, longest - len(part)), (0, 0), (0, 0))) for part in inputs], axis=1
        )
        noise = draw_state_noise(key, state_noise, together.shape[1], together.shape[0], network.w_rec.shape[0])
        outputs, activity = respond(network, together, noise)
        ends = np.cumsum([part.shape[1] for part in inputs])[:-1]
        errors = []
        for task, found, batch in zip(tasks, jnp.split(outputs, ends, axis=1), batches, strict=True):
            places = np.array([layout.outputs.index(name) for name in task.outputs])
            errors.append(mean_squared_error(found[: len(batch[1]), :, places], *batch[1:]))
        mse = jnp.mean(jnp.stack(errors))
        weights = sum(jnp.sum(w**2) for w in (network.w_in[:, penalised], network.w_rec, network.w_out))
        return mse + phase.weight_penalty * weights + phase.activity_penalty * activity, mse

    return objective
