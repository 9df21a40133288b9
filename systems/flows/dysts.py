"""Systems of the dysts catalogue, behind an extra."""

import warnings
from dataclasses import dataclass
from functools import lru_cache
from types import FunctionType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float64, Inexact
from torch import Tensor

from systems.base import Flow
from systems.extras import optional
from systems.solvers.dop853 import STATISTICS_TOLERANCE

SPREAD = 0.01  # of the starts, relative to the catalogue's own initial state
TRANSIENT = (20.0, 40.0)  # periods, of which each start takes a random number


@dataclass(frozen=True)
class Dysts(Flow):
    """One of about a hundred chaotic flows, by its name there: `Dysts("Chua")`.

    Equations, parameters and initial state are the catalogue's; those that are not formulas of the state, or have a
    delay, are refused. One timescale is its dominant period, since its Lyapunov exponents are no reference.

    Gilpin, "Chaos as an interpretable benchmark for forecasting and data-driven modelling", NeurIPS 2021.
    """

    name: str

    timescale_name = "period"

    def __post_init__(self) -> None:
        model, start = _model(self.name), _start(self.name)
        try:
            ours = self.velocity(0.3, torch.from_numpy(start)).numpy()
        except (TypeError, RuntimeError, AttributeError, ValueError) as error:
            raise ValueError(f"Dysts({self.name!r}) is not a formula of its state: choose another ({error})") from error
        if not np.allclose(ours, np.asarray(model.rhs(start, 0.3), dtype=np.float64), rtol=1e-9, atol=1e-12):
            raise ValueError(f"Dysts({self.name!r}) is no flow whose velocity can be taken over: choose another")

    @property
    def dim(self) -> int:
        return len(_start(self.name))

    @property
    def timescale(self) -> float:
        return float(_model(self.name).period)

    def initial_states(self, count: int, rng: np.random.Generator) -> Float64[np.ndarray, "count dim"]:
        """Starts about the catalogue's initial state, brought along the attractor for random times."""
        start = _start(self.name) * (1 + SPREAD * rng.uniform(-1, 1, (count, self.dim)))
        ends = rng.uniform(*TRANSIENT, (count, 1)) * np.linspace(0, 1, 200) * self.timescale
        return self.solve(start, ends, STATISTICS_TOLERANCE)[:, -1]

    def velocity(self, t: float | Tensor, x: Inexact[Tensor, "*batch dim"]) -> Inexact[Tensor, "*batch dim"]:
        rates = _formula(self.name)(*x.unbind(-1), t, *_model(self.name).param_list)
        return torch.stack([torch.as_tensor(rate, dtype=x.dtype).expand(x.shape[:-1]) for rate in rates], dim=-1)


@lru_cache
def _model(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says at length what it would like to be installed
        flows = optional("dysts.flows", "dysts", f"Dysts({name!r})")
        kind = getattr(flows, name, None)
        if not isinstance(kind, type) or not issubclass(kind, flows.DynSys) or issubclass(kind, flows.DynSysDelay):
            raise ValueError(f"dysts has no flow {name!r}: see dysts.flows, or python -m bench list systems for ours")
        return kind()


def _start(name: str) -> Float64[np.ndarray, " dim"]:
    return np.asarray(_model(name).ic, dtype=np.float64).reshape(-1)


@lru_cache
def _formula(name: str) -> FunctionType:
    """The right-hand side with torch in the place of numpy, so that it is differentiable and runs anywhere."""
    given = _model(name)._rhs
    given = getattr(given, "py_func", given)  # of which numba, where it is installed, makes compiled code
    return FunctionType(given.__code__, {**given.__globals__, "np": torch}, name, given.__defaults__, given.__closure__)
