"""Every figure once, on sample data: what the figures look like, without a run."""

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure

from results.figures import chaos as chaos_figures
from results.figures import comparison as comparison_figures
from results.figures import depth as depth_figures
from results.figures import fields, portraits
from results.figures import performance as figures
from results.figures.aggregates import aggregate_figure
from results.figures.films import Film, frame, strip
from results.figures.homotopy import homotopy
from results.figures.memory import MEASURES, memory_against_steps
from results.figures.style import styles
from results.figures.vector_fields import vector_fields
from results.statistics.ranking import compared, performance_profile, win_matrix
from results.timing import figures as timing_figures

COMPARED, REFERENCES = ("ResNet", "NeuralODE", "WindowedRNN", "RKNet"), ("Persistence", "PolynomialPropagator")
LEARNERS = (*COMPARED, *REFERENCES)
LOOKS = styles(LEARNERS, REFERENCES)
SYSTEMS = {"CubicSpiral": "period", "Lorenz": "Lyapunov time", "Rossler": "Lyapunov time"}
STEP = 0.02  # of the sample trajectories, in time units
Array = np.ndarray


def sample_figures() -> Iterator[tuple[str, Figure]]:
    """The names of all figures, and each drawn on data that are the same every time."""
    for draw in FIGURES:
        yield draw.__name__.removeprefix("_"), draw()


def _prediction_times() -> Figure:
    return figures.prediction_times(_times(), LOOKS, SYSTEMS)


def _prediction_intervals() -> Figure:
    return comparison_figures.prediction_intervals(_times(), LOOKS, SYSTEMS)


def _error_growth() -> Figure:
    time, found = np.linspace(0.02, 12, 200), []
    for system in SYSTEMS:
        for place, learner in enumerate(LEARNERS):
            median = np.minimum(1e-3 * 2.5**place * np.exp((0.3 + 0.1 * place) * time), 1.4)
            median = np.where((learner == "RKNet") & (time > 9), np.inf, median)
            curve = {"time": time, "low": median / 2, "median": median, "high": median * 1.8}
            found.append(pd.DataFrame(curve).assign(system=system, learner=learner))
    return figures.error_growth(pd.concat(found, ignore_index=True), LOOKS, SYSTEMS)


def _learning_curves() -> Figure:
    return figures.learning_curves(_curves(), LOOKS)


def _cost_accuracy() -> Figure:
    costs = {learner: 10.0 ** (place / 2) for place, learner in enumerate(LEARNERS)}
    points = _times().assign(cost=[costs[learner] for learner in _times()["learner"]])
    return figures.cost_accuracy(points, LOOKS, SYSTEMS, "fit time (s)")


def _attractors() -> Figure:
    learned = dict(_runs()) | {"Persistence": np.tile(_lorenz(0.0)[:1], (3000, 1))}
    return portraits.attractors(_lorenz(0.0), learned, LOOKS, STEP * 0.9056, "Lyapunov time")


def _pq_plots() -> Figure:
    paths = {learner: _walk(place, learner != "RKNet") for place, learner in enumerate(COMPARED)}
    notes = {learner: "K = 0.02" if learner == "RKNet" else "K = 0.99" for learner in COMPARED}
    return portraits.pq_plots(_walk(9, True), {**paths, "Persistence": "diverged"}, LOOKS, notes)


def _return_maps() -> Figure:
    learned = {learner: path[:, 2] for learner, path in _runs().items()}
    return chaos_figures.return_maps(_lorenz(0.0)[:, 2], {**learned, "Persistence": "at rest"}, LOOKS)


def _lyapunov_spectra() -> Figure:
    known, found, rng = {"Lorenz": (1.0, 0.0, -16.1), "Rossler": (1.0, 0.0, -75.5)}, [], _rng(3)
    for system, exponents in known.items():
        for learner in ("", *COMPARED):
            values = np.array(exponents) * (1 + 0.1 * rng.standard_normal(3) * bool(learner))
            spectrum = {"order": [1, 2, 3], "median": values, "low": values - 0.15, "high": values + 0.15}
            found.append(pd.DataFrame(spectrum).assign(system=system, learner=learner))
    return chaos_figures.lyapunov_spectra(pd.concat(found, ignore_index=True), LOOKS, SYSTEMS)


def _power_spectra() -> Figure:
    found = []
    for learner, path in {"": _lorenz(0.0), **_runs()}.items():
        frequency, power = chaos_figures.power_spectrum(path[:, 0], STEP * 0.9056)
        found.append(pd.DataFrame({"frequency": frequency, "power": power}).assign(learner=learner))
    return chaos_figures.power_spectra(pd.concat(found, ignore_index=True).assign(system="Lorenz"), LOOKS, SYSTEMS)


def _space_time() -> Figure:
    times, truth = np.linspace(0, 4, 200), _waves(0.0)
    forecasts = {learner: _waves(0.15 * (1 + place)) for place, learner in enumerate(COMPARED[:3])}
    forecasts["RKNet"] = np.where(np.arange(200)[:, None] > 120, np.nan, _waves(0.8))
    return fields.space_time(times, truth, {**forecasts, "Persistence": "timed out"}, "Lyapunov time")


def _spatial_spectra() -> Figure:
    found = []
    for place, learner in enumerate(("", *COMPARED)):
        power = fields.spatial_power(_waves(0.3 * place)) + 1e-6 * place
        found.append(pd.DataFrame({"wave": range(len(power)), "power": power}).assign(learner=learner))
    return fields.spatial_spectra(pd.concat(found, ignore_index=True).assign(system="Lorenz96"), LOOKS)


def _vector_fields() -> Figure:
    across, up = (line.ravel() for line in np.meshgrid(np.linspace(-2.5, 2.5, 15), np.linspace(-2.5, 2.5, 15)))
    learned = {learner: _van_der_pol(across, up, 1 + 0.4 * place) for place, learner in enumerate(COMPARED[:3])}
    return vector_fields(np.column_stack([across, up]), _van_der_pol(across, up, 1.0), learned, LOOKS)


def _homotopy() -> Figure:
    times = np.linspace(-0.5, 3.0, 200)
    return homotopy({learner: (_spirals(), times) for learner in ("LatentODE", "LatentRNN")}, "turn")


def _film() -> Figure:
    return frame(_learning(), 1, LOOKS["NeuralODE"].colour)


def _film_strip() -> Figure:
    return strip(_learning(), LOOKS["NeuralODE"].colour)


def _learning() -> Film:
    updates, truth, times = np.array([0, 100, 10_000]), _lorenz(0.0)[:300], STEP * 0.9056 * np.arange(300)
    forecasts = np.stack([_lorenz(strain)[:300] for strain in (0.3, 0.1, 0.01)])
    return Film("Lorenz", "NeuralODE", "Lyapunov time", False, updates, times, truth, forecasts)


def _critical_difference() -> Figure:
    return comparison_figures.critical_difference(compared(_losses()), LOOKS)


def _performance_profile() -> Figure:
    profile = performance_profile(_losses(), np.geomspace(1, 8, 60).tolist())
    return comparison_figures.performance_profile(profile, LOOKS)


def _aggregates() -> Figure:
    mean, chance = np.array([0.93, 0.81, 0.66, 0.42]), np.array([np.nan, 0.36, 0.24, 0.09])
    ends = {"mean": mean, "low": mean - 0.06, "high": mean + 0.05}
    chances = {"chance": chance, "chance_low": chance - 0.08, "chance_high": chance + 0.1}
    together = pd.DataFrame({"learner": COMPARED, **ends, **chances})
    return aggregate_figure(together, LOOKS)


def _win_matrix() -> Figure:
    return comparison_figures.win_matrix(win_matrix(_losses()), len(_losses()))


def _pareto() -> Figure:
    costs = {"fit_seconds": "fit time (s)", "parameters": "parameters", "saved_bytes": "saved bytes"}
    points = (
        _times().rename(columns={"median": "value"}).query("learner in @COMPARED").assign(loss=lambda t: -t["value"])
    )
    spent = {cost: _rng(place).permutation([1.0, 3, 10, 30]) for place, cost in enumerate(costs)}
    for cost, values in spent.items():
        points[cost] = [values[COMPARED.index(learner)] for learner in points["learner"]]
    return comparison_figures.pareto_page(points, LOOKS, costs, "VPT")


def _depth_error() -> Figure:
    return depth_figures.sweep_figure(_sweep(), LOOKS, depth_figures.ERROR)


def _depth_backward() -> Figure:
    return depth_figures.sweep_figure(_sweep(), LOOKS, depth_figures.BACKWARD)


def _evaluations_in_training() -> Figure:
    curves = _curves().query("learner in ['RKNet', 'NeuralODE']")
    growing = np.where(curves["learner"] == "RKNet", 8 + np.sqrt(curves["update"]) / 3, 4) + curves["seed"] % 2
    return depth_figures.evaluations_in_training(curves.assign(nfe_forward=growing), LOOKS)


def _memory_against_steps() -> Figure:
    steps, found = np.array([4, 8, 16, 32, 64]), []
    for measure, share in zip(MEASURES, (1.0, 6.0), strict=True):
        for kind, growth in {"RKNet": 2.6e5 * steps, "ODENet": np.full(5, 3e5), "ResNet": 1.3e5 * steps}.items():
            line = {"steps": steps, "bytes": share * growth, "kind": kind}
            found.append(pd.DataFrame(line).assign(measure=measure, system="Spiral"))
    return memory_against_steps(pd.concat(found, ignore_index=True))


def _update_times() -> Figure:
    return timing_figures.update_times(_timings())


def _scaling() -> Figure:
    return timing_figures.scaling(_timings())


FIGURES: tuple[Callable[[], Figure], ...] = (
    _prediction_times,
    _prediction_intervals,
    _error_growth,
    _learning_curves,
    _cost_accuracy,
    _pareto,
    _critical_difference,
    _performance_profile,
    _aggregates,
    _win_matrix,
    _attractors,
    _pq_plots,
    _return_maps,
    _lyapunov_spectra,
    _power_spectra,
    _vector_fields,
    _film,
    _film_strip,
    _homotopy,
    _space_time,
    _spatial_spectra,
    _depth_error,
    _depth_backward,
    _evaluations_in_training,
    _memory_against_steps,
    _update_times,
    _scaling,
)


def _rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def _times() -> pd.DataFrame:
    """Prediction times of every learner on every system, one of which has failed."""
    found, rng = [], _rng(0)
    for system in SYSTEMS:
        for place, learner in enumerate(LEARNERS):
            median = 0.1 if learner == "Persistence" else 6.0 - place + rng.uniform(0, 1)
            cell = {"system": system, "learner": learner, "status": "ok", "capped": False}
            found.append(cell | {"median": median, "low": 0.85 * median, "high": 1.12 * median})
    times = pd.DataFrame(found)
    failed = (times["learner"] == "RKNet") & (times["system"] == "Rossler")
    times.loc[failed, ["median", "low", "high", "status"]] = [np.nan, np.nan, np.nan, "diverged"]
    times.loc[(times["learner"] == "ResNet") & (times["system"] == "CubicSpiral"), "capped"] = True
    return times


def _curves() -> pd.DataFrame:
    update, found = np.geomspace(10, 10_000, 30).round(), []
    for system in SYSTEMS:
        for place, learner in enumerate(COMPARED):
            for seed in range(3):
                loss = (1 + 0.3 * seed) * (0.02 + place / 100 + 3 / update**0.7)
                curve = {"update": update, "seconds": update * 1e-3 * (1 + place), "valid_loss": loss, "seed": seed}
                found.append(pd.DataFrame(curve).assign(system=system, learner=learner))
    return pd.concat(found, ignore_index=True)


@cache
def _lorenz(strain: float) -> Float[Array, "time 3"]:
    """A trajectory on the attractor, by Runge-Kutta steps, at parameters that are off by a fraction."""

    def velocity(x: Array) -> Array:
        u, v, w = x
        return np.array([10 * (v - u), u * (28 * (1 + strain) - w) - v, u * v - 8 / 3 * w])

    state, path = np.array([-8.0, 7.0, 27.0]), []
    for _ in range(6000):
        k1 = velocity(state)
        k2 = velocity(state + STEP / 2 * k1)
        k3 = velocity(state + STEP / 2 * k2)
        state = state + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + velocity(state + STEP * k3))
        path.append(state)
    return np.array(path)


def _runs() -> dict[str, Array]:
    return {learner: _lorenz(0.01 * place) for place, learner in enumerate(COMPARED)}


def _walk(seed: int, chaotic: bool) -> Float[Array, "2 time"]:
    """A path of the 0-1 test: a random walk, or a ring."""
    if chaotic:
        return _rng(seed).standard_normal((2, 2000)).cumsum(axis=1)
    turn = np.linspace(0, 60 * np.pi, 2000)
    return np.stack([8 * np.cos(turn), 8 * np.sin(turn)]) + 0.3 * _rng(seed).standard_normal((2, 2000))


def _van_der_pol(x: Array, y: Array, strength: float) -> Float[Array, "place 2"]:
    return np.column_stack([y, strength * (1 - x**2) * y - x])


def _spirals() -> Float[Array, "place time 2"]:
    """Spirals on the way from one sense of rotation to the other."""
    turn, radius = np.linspace(-3, 18, 200), np.linspace(0.4, 2.4, 200)
    return np.stack(
        [np.column_stack([radius * np.cos(turn), s * radius * np.sin(turn)]) for s in np.linspace(-1, 1, 7)]
    )


def _waves(strain: float) -> Float[Array, "time site"]:
    """Waves around a ring whose phases wander, the sooner the larger the strain."""
    time, site = np.linspace(0, 12, 200)[:, None], np.linspace(0, 2 * np.pi, 40, endpoint=False)
    phases, found = _rng(5).uniform(0, 2 * np.pi, 20), np.zeros((200, 40))
    for wave, phase in enumerate(phases):
        wander = phase + np.sin(time / 3 + phase) + (0.6 + 0.1 * wave + strain * time / 8) * time
        found += np.exp(-(((wave - 4) / 3) ** 2)) * (1 + 0.2 * strain) * np.sin(wave * site - wander)
    return found


def _losses() -> pd.DataFrame:
    """Losses of the compared learners on thirty trials."""
    return pd.DataFrame({name: _rng(7 + k).gamma(6, 0.15 + 0.06 * k, 30) for k, name in enumerate(COMPARED)})


def _sweep() -> pd.DataFrame:
    found = []
    for system in ("Digits", "MNIST"):
        for place, learner in enumerate(("RKNet", "NeuralODE")):
            for seed in range(3):
                nfe = np.array([8, 14, 26, 44, 80]) + 6 * place + 2 * seed
                sweep = {
                    "nfe_forward": nfe,
                    "error": 30.0 * (1 + 4 * place) * nfe**-3.5,
                    "nfe_backward": nfe * (0.55 + 0.45 * place),
                }
                found.append(pd.DataFrame(sweep).assign(system=system, learner=learner, seed=seed, tolerance=range(5)))
    return pd.concat(found, ignore_index=True)


def _timings() -> dict[str, object]:
    """Times such as `python -m bench time` writes."""
    parts, times = {"forward": 0.4, "backward": 0.5, "descent": 0.2, "update": 1.15}, []
    for place, learner in enumerate(COMPARED):
        base = {"learner": learner, "precision": "float32"}
        for variant, share in (("eager", 1.0), ("compiled", 0.7)):
            for part, cost in parts.items():
                spread = 1e-3 * share * cost * (1 + place) * np.linspace(0.95, 1.1, 9)
                times.append(base | {"variant": variant, "part": part, "times": spread.tolist()})
        for axis, values in {"batch": (32, 128, 512), "width": (16, 64, 256), "seeds": (1, 2, 4, 8)}.items():
            for value in values:
                spent = 1e-3 * (1 + place) * (1 + value / values[1]) / 2
                entry = {"variant": "eager", "part": "update", "axis": axis, "value": value, "times": [spent]}
                times.append(base | entry)
    return {"learners": list(COMPARED), "times": times}
