"""The exponents that the dysts catalogue states, beside those of the same equations by QR on the tangent flow."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.published.table import Figure, PublishedTable, Row
from learners import Unsuitable
from systems import Dysts, flow_spectrum
from systems.extras import optional

STATES, WARM_UP, TIME = 40, 6.0, 12.0  # runs, and their length in periods


def exponent(name: str) -> Sequence[Figure]:
    """Our largest exponent beside both that the catalogue has: of its spectrum, and of its estimate of the largest."""
    try:
        system = Dysts(name)
    except ValueError as error:
        raise Unsuitable(str(error)) from error
    states = torch.from_numpy(system.initial_states(STATES, np.random.default_rng(0)))
    period = system.timescale
    spectrum = flow_spectrum(system, states, TIME * period, warm_up=WARM_UP * period)
    value = float(spectrum.exponents[0])
    margin = float(spectrum.interval[1, 0]) - value
    kind = _catalogue()[name]()
    stated = kind.lyapunov_spectrum_estimated, kind.maximum_lyapunov_estimated
    first, largest = (None if one is None else float(np.ravel(one)[0]) for one in stated)
    decimals = 4 if abs(value) >= 0.01 else 6
    return [Figure(value, first, decimals, margin), Figure(value, largest, decimals)]


def _catalogue() -> dict[str, Any]:
    """All flows without a delay, by name. Raises ModuleNotFoundError, which names the extra."""
    Dysts("Lorenz")  # which imports it without the advice that it prints
    flows = optional("dysts.flows", "dysts", "the table of exponents")
    kinds = vars(flows).items()
    return {
        name: kind
        for name, kind in kinds
        if isinstance(kind, type)
        and issubclass(kind, flows.DynSys)
        and not issubclass(kind, flows.DynSysDelay)
        and kind.__module__ == flows.__name__
    }


def rows(files: Path) -> Sequence[Row]:
    """One for each flow of the catalogue; one for all where it is not installed."""
    try:
        names = sorted(_catalogue())
    except ModuleNotFoundError:
        return [Row(("all of its flows",), partial(exponent, "Lorenz"))]
    return [Row((name,), partial(exponent, name)) for name in names]


table = PublishedTable(
    title="The flows of dysts",
    about=(
        "Largest Lyapunov exponent per unit of time of the flows of dysts 0.95 (Gilpin 2021; the extra `dysts`): "
        "stated / **ours**, with half of our 95 % interval and the difference. The catalogue states a spectrum and a "
        "largest exponent of their own, which often differ. Ours are of the same equations at the same parameters: QR "
        f"on the tangent flow along {STATES} runs of {TIME:.0f} periods, after {WARM_UP:.0f}. Flows with a delay are "
        "left out."
    ),
    heads=("flow", "first of its spectrum", "its largest exponent"),
    rows=rows,
)
