"""Updates of a neural ODE in JAX, timed for `test_training_speed`: run by a Python that has the extra `peers`.

Reads "way lookahead batch updates" line by line, writes the seconds of processor time that one update took.
"""

import os
import sys
from collections.abc import Callable
from itertools import cycle
from time import process_time

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import diffrax  # pyright: ignore[reportMissingImports]
import jax  # pyright: ignore[reportMissingImports]
import jax.numpy as jnp  # pyright: ignore[reportMissingImports]
import numpy as np
import optax  # pyright: ignore[reportMissingImports]

THIRDS = diffrax.ButcherTableau(  # the 3/8 rule, as ours; it estimates no error
    c=np.array([1 / 3, 2 / 3, 1.0]),
    a_lower=(np.array([1 / 3]), np.array([-1 / 3, 1.0]), np.array([1.0, -1.0, 1.0])),
    b_sol=np.array([1 / 8, 3 / 8, 3 / 8, 1 / 8]),
    b_error=np.zeros(4),
)


class Thirds(diffrax.AbstractERK):
    tableau = THIRDS
    interpolation_cls = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

    def order(self, terms: object) -> int:
        return 4


def field(weights: list, x: jax.Array) -> jax.Array:
    first, bias, second, last = weights
    return 0.1 * (jax.nn.relu(x @ first + bias) @ second + last)


def by_hand(weights: list, start: jax.Array, count: int) -> jax.Array:
    def step(x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        k1 = field(weights, x)
        k2 = field(weights, x + k1 / 3)
        k3 = field(weights, x + k2 - k1 / 3)
        k4 = field(weights, x + k1 - k2 + k3)
        x = x + (k1 + 3 * (k2 + k3) + k4) / 8
        return x, x

    return jax.lax.scan(step, start, None, length=count)[1]


def by_diffrax(weights: list, start: jax.Array, count: int) -> jax.Array:
    times = jnp.arange(count + 1, dtype=jnp.float32)
    term = diffrax.ODETerm(lambda t, x, _: field(weights, x))
    control, kept = diffrax.StepTo(ts=times), diffrax.SaveAt(ts=times[1:])
    solved = diffrax.diffeqsolve(
        term, Thirds(), 0.0, float(count), None, start, stepsize_controller=control, saveat=kept, max_steps=count + 1
    )
    assert solved.ys is not None
    return solved.ys


def updates(way: str, count: int, batch: int) -> Callable[[], None]:
    rng = np.random.default_rng(0)
    shapes = ((3, 256), (256,), (256, 3), (3,))
    weights = [jnp.asarray(rng.uniform(-0.1, 0.1, shape), jnp.float32) for shape in shapes]
    minibatches = cycle([jnp.asarray(rng.normal(size=(count + 1, batch, 3)), jnp.float32) for _ in range(8)])
    optimiser, predict = optax.adam(1e-3), by_hand if way == "hand" else by_diffrax
    state = [weights, optimiser.init(weights)]

    def loss(weights: list, states: jax.Array) -> jax.Array:
        return jnp.mean(((predict(weights, states[0], count) - states[1:]) / 0.1) ** 2)

    @jax.jit
    def update(weights: list, state: object, states: jax.Array) -> tuple:
        found, gradients = jax.value_and_grad(loss)(weights, states)
        change, state = optimiser.update(gradients, state)
        return optax.apply_updates(weights, change), state, found

    def run() -> None:
        *state[:], found = update(state[0], state[1], next(minibatches))
        found.block_until_ready()

    return run


if __name__ == "__main__":
    ready: dict[tuple, Callable[[], None]] = {}
    for line in sys.stdin:
        way, *numbers = line.split()
        lookahead, batch, count = map(int, numbers)
        case = way, lookahead, batch
        if case not in ready:
            ready[case] = updates(*case)
            ready[case]()
        begin = process_time()
        for _ in range(count):
            ready[case]()
        sys.stdout.write(f"{(process_time() - begin) / count}\n")
        sys.stdout.flush()
