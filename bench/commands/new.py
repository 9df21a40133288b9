"""`python -m bench new learner NAME`: the beginning of a learner of one's own, which works, and its contract test."""

import re
import sys
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import UserError, unknown

LEARNER = '''"""{name}: a learner to begin with. As it stands, it fits a linear map by least squares."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from learners import Budget, Learner, Predictor
from learners.base import Unsuitable
from systems import Dataset, Trajectories


@dataclass(frozen=True)
class {name}(Learner):
    """One sentence that says what it learns, and how.

    The next state is a linear function of the current one and of 1.
    """

    ridge: float = 1e-6  # weight of the squared coefficients

    def fit_replicas(self, dataset: Dataset, budget: Budget, seeds: Sequence[int]) -> list[Predictor]:
        if not dataset.is_regular:
            raise Unsuitable("a map of one sampling step cannot use irregular times")
        now, after = dataset.train.states[:, :-1].flatten(0, 1), dataset.train.states[:, 1:].flatten(0, 1)
        inputs = with_one(now)
        normal = inputs.T @ inputs + self.ridge * torch.eye(inputs.shape[1], dtype=inputs.dtype, device=inputs.device)
        fitted = LinearMap(torch.linalg.solve(normal, inputs.T @ after), dataset.step)
        return [fitted for _ in seeds]  # nothing is random here; otherwise one for each seed


class LinearMap(Predictor):
    """What has been learned, as a dynamical system: its state is the state of the system."""

    def __init__(self, coefficients: Tensor, step: float) -> None:
        self.coefficients = coefficients
        self.step = step

    @property
    def parameters(self) -> int:
        return self.coefficients.numel()

    def encode(self, past: Trajectories) -> Tensor:
        return past.states[:, -1]

    def rollout(self, state: Tensor, offsets: Sequence[float]) -> tuple[Tensor, int]:
        states = []
        steps = 0
        for offset in offsets:
            while steps < round(offset / self.step):
                state = with_one(state) @ self.coefficients
                steps += 1
            states.append(state)
        return torch.stack(states), steps

    def decode(self, state: Tensor) -> Tensor:
        return state.double()

    def weights(self) -> dict[str, Tensor]:
        return {{"coefficients": self.coefficients}}


def with_one(states: Tensor) -> Tensor:
    return torch.cat([states, torch.ones_like(states[..., :1])], dim=-1)
'''

TEST = '''"""The promises that every learner keeps, held against {name}."""

import copy

import pytest
import torch
from {module} import {name}

from learners import Budget, Predictor
from systems import Dataset, LinearSpiral, Sampling, sample

SEEDS = (0, 1)
SAMPLING = Sampling(
    step=0.05, trajectories=4, samples=40, valid=2, test=3, context=8, horizon=1.0, climate=1, climate_horizon=2.0
)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return sample(LinearSpiral(), SAMPLING, seed=0)


@pytest.fixture(scope="module")
def fitted(dataset: Dataset) -> list[Predictor]:
    return {name}().fit_replicas(dataset, Budget(effort=0.01), SEEDS)


def forecast(predictor: Predictor, dataset: Dataset) -> torch.Tensor:
    past = dataset.test.between(0, SAMPLING.context)
    return predictor.forecast(past, dataset.test.times[0, SAMPLING.context :]).states


def test_there_is_a_predictor_for_each_seed(fitted: list[Predictor]):
    assert len(fitted) == len(SEEDS)


def test_forecasts_are_finite_float64_states_at_the_times_asked_for(fitted: list[Predictor], dataset: Dataset):
    for predictor in fitted:
        states = forecast(predictor, dataset)
        assert states.shape == dataset.test.between(SAMPLING.context).states.shape
        assert states.dtype == torch.float64
        assert states.isfinite().all()


def test_the_same_seeds_give_the_same_forecasts(fitted: list[Predictor], dataset: Dataset):
    again = {name}().fit_replicas(dataset, Budget(effort=0.01), SEEDS)
    for first, second in zip(fitted, again, strict=True):
        assert torch.equal(forecast(first, dataset), forecast(second, dataset))


def test_the_data_are_left_as_they_were(dataset: Dataset):
    before = copy.deepcopy(dataset)
    for predictor in {name}().fit_replicas(dataset, Budget(effort=0.01), SEEDS):
        forecast(predictor, dataset)
    for part in ("train", "valid", "test", "climate"):
        assert torch.equal(getattr(before, part).states, getattr(dataset, part).states)


def test_forecasts_start_where_the_past_ends(fitted: list[Predictor], dataset: Dataset):
    truth = dataset.test.states[:, SAMPLING.context]
    for predictor in fitted:
        assert (forecast(predictor, dataset)[:, 0] - truth).norm() < truth.norm()
'''


def new(
    kind: Annotated[str, typer.Argument(metavar="learner", help="What to begin.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name of its class, such as MyLearner.")],
) -> None:
    """Write the beginning of a learner into this folder: one that works, and its contract test."""
    from bench.catalogue.components import components

    if kind != "learner":
        raise unknown("kind of thing", kind, ["learner"], "python -m bench new learner NAME")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name) or iskeyword(name):
        raise UserError(f"a learner's name is that of its class, such as MyLearner, but is {name!r}")
    if name in components("learners"):
        raise UserError(
            f"there is a learner {name} already: choose another name, or set its fields, {name}[field=value]"
        )
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if iskeyword(module) or find_spec(module):
        raise UserError(
            f"{module}.py would stand in the way of what Python has under this name: choose another one than {name}"
        )
    files = {Path(f"{module}.py"): LEARNER, Path(f"test_{module}.py"): TEST}
    for path in files:
        if path.exists():
            raise UserError(f"{path} exists already: choose another name, or another folder")
    for path, text in files.items():
        path.write_text(text.format(name=name, module=module), encoding="utf-8")
    sys.stdout.write(
        f"{module}.py and test_{module}.py are written. Try\n"
        f"  python -m pytest test_{module}.py\n"
        f"  python -m bench run --suite smoke --include {module}.py -l {name}\n"
    )
