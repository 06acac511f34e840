"""A few weights and gradients, and Adam as a loop in NumPy, for the tests of the optimiser."""

import jax
import jax.numpy as jnp
import numpy as np
import optax

from molap.config.training import OptimiserSettings
from molap.training.optimiser import learning_rate

B1, B2, EPS = 0.9, 0.999, 1e-8
N_STEPS = 30
RATE = 0.02
SHAPES = {"w_in": (4, 2), "w_rec": (4, 4)}
BLOCK = np.kron(np.diag([1.0, 0.0]), np.ones((2, 2))).astype(np.float32)
TRAIN_ALL = {"w_in": True, "w_rec": True}
TRAIN_BLOCK = {"w_in": True, "w_rec": BLOCK}


def settings(**values) -> OptimiserSettings:
    return OptimiserSettings(**{"decay": "constant", "clip_norm": None} | values)


def rates_by_step(n_steps: int, **values) -> np.ndarray:
    schedule = learning_rate(RATE, n_steps, settings(**values))
    return np.array([float(schedule(jnp.int32(k))) for k in range(n_steps)])


def gradients(scale: float = 1.0) -> list[dict]:
    generator = np.random.default_rng(0)
    return [
        {name: scale * generator.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}
        for _ in range(N_STEPS)
    ]


def first_weights() -> dict:
    generator = np.random.default_rng(1)
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in SHAPES.items()}


def optimise(transform: optax.GradientTransformation, sequence: list[dict]) -> list[dict]:
    """The weights before, and after every update."""
    weights = jax.tree.map(jnp.asarray, first_weights())
    state, found = transform.init(weights), [first_weights()]

    @jax.jit
    def step(gradient, state, weights):
        updates, state = transform.update(gradient, state, weights)
        return state, optax.apply_updates(weights, updates)

    for gradient in sequence:
        state, weights = step(gradient, state, weights)
        found.append(jax.tree.map(np.asarray, weights))
    return found


def numpy_adam(
    sequence: list[dict], mask: dict, clip_norm: float | None, rates, counts, factors: dict | None = None
) -> list[dict]:
    """Adam in float64: mask, clip by the norm of what is trained, moments, update. `counts`: of the correction."""
    factors = dict.fromkeys(SHAPES, 1.0) | (factors or {})
    weights = {name: value.astype(np.float64) for name, value in first_weights().items()}
    m = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    v = {name: np.zeros(shape) for name, shape in SHAPES.items()}
    found = [dict(weights)]
    for gradient, rate, count in zip(sequence, rates, counts, strict=True):
        masked = {name: np.asarray(g, np.float64) * mask[name] for name, g in gradient.items()}
        norm = np.sqrt(sum((g**2).sum() for g in masked.values()))
        factor = 1.0 if clip_norm is None or norm <= clip_norm else clip_norm / norm
        for name, g in masked.items():
            m[name] = B1 * m[name] + (1 - B1) * factor * g
            v[name] = B2 * v[name] + (1 - B2) * (factor * g) ** 2
            m_hat, v_hat = m[name] / (1 - B1**count), v[name] / (1 - B2**count)
            weights[name] = weights[name] - factors[name] * rate * m_hat / (np.sqrt(v_hat) + EPS)
        found.append(dict(weights))
    return found


def assert_same_path(ours: list[dict], expected: list[dict]) -> None:
    for step, (one, other) in enumerate(zip(ours, expected, strict=True)):
        for name in SHAPES:
            np.testing.assert_allclose(one[name], other[name], atol=2e-5, err_msg=f"{name}, step {step}")
