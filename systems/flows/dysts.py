"""Systems of the dysts catalogue, behind an extra."""

import warnings
from collections.abc import Callable, Sequence
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

    Equations, parameters and initial state are the catalogue's; those that are not formulas of the state alone, or have
    a delay, are refused. One timescale is its dominant period, since its Lyapunov exponents are no reference.

    Gilpin, "Chaos as an interpretable benchmark for forecasting and data-driven modelling", NeurIPS 2021.
    """

    name: str

    timescale_name = "period"

    def __post_init__(self) -> None:
        model = _model(self.name)
        few = _start(self.name) * np.array([[1.0], [1 + SPREAD]])
        states = torch.from_numpy(few)
        states.requires_grad_()  # so that numpy makes no arrays of them, without derivatives, in silence
        try:
            ours, later = (self.velocity(t, states).numpy(force=True) for t in (0.3, 0.8))
        except Exception as error:  # of code that is not ours
            reason = str(error).partition("\n")[0]
            raise ValueError(
                f"Dysts({self.name!r}) is not a formula of its state: choose another ({reason})"
            ) from error
        if not np.array_equal(ours, later):
            raise ValueError(f"Dysts({self.name!r}) depends on the time, not on its state alone: choose another")
        theirs = np.array([model.rhs(state, 0.3) for state in few], dtype=np.float64)
        if not np.allclose(ours, theirs, rtol=1e-9, atol=1e-12):
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
        rates = _formula(self.name)(x.movedim(-1, 0), t)
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


class _Torch:
    """The functions of numpy that formulas call there, by those of torch, which want tensors in place of numbers."""

    def __getattr__(self, name: str) -> Any:
        given = getattr(torch, name)

        def function(*arguments: Any) -> Any:
            plain = (float, int, np.ndarray)
            tensors = (
                torch.as_tensor(one, dtype=torch.float64) if isinstance(one, plain) else one for one in arguments
            )
            return given(*tensors)

        return function if callable(given) else given

    def heaviside(self, x: Tensor, at_zero: float) -> Tensor:
        """That of torch has no derivative."""
        return (x > 0) + at_zero * (x == 0)


@lru_cache
def _formula(name: str) -> Callable[[Tensor, float | Tensor], Sequence[Tensor]]:
    """The right-hand side with torch in the place of numpy, so that it is differentiable and runs anywhere."""
    model = _model(name)
    kinds = type(model).__mro__
    own = next(kind for kind in kinds if "rhs" in vars(kind) or "_rhs" in vars(kind))
    if "rhs" in vars(own):  # of the object and its whole state
        formula = _with_torch(type(model).rhs)
        return lambda x, t: formula(model, x, t)
    formula = _with_torch(model._rhs)
    return lambda x, t: formula(*x, t, *model.param_list)


def _with_torch(given: Any) -> FunctionType:
    given = getattr(given, "py_func", given)  # of which numba, where it is installed, makes compiled code
    names = {**given.__globals__, "np": _Torch()}
    return FunctionType(given.__code__, names, given.__name__, given.__defaults__, given.__closure__)
