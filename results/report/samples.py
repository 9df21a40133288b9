"""Every figure once, on sample data: what the figures look like, without a run."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.figure import Figure
from scipy.integrate import odeint

from results.figures import chaos, comparison, depth, films, performance, portraits
from results.figures.fields import space_time, vector_fields
from results.figures.style import styles
from results.figures.sweep import sweep_figure
from results.figures.time_series import time_series
from results.report.chaos import power_spectrum, spatial_power
from results.statistics.ranking import performance_profile, rank_table, win_matrix
from results.timing import figures as timing

COMPARED = ("ResNet", "NeuralODE", "WindowedRNN", "RKNet")
REFERENCES = ("Persistence", "PolynomialPropagator")
LEARNERS = (*COMPARED, *REFERENCES)
WITH_TRUTH = ("", *COMPARED)  # as spectra name the rows of the truth
STYLES = styles(LEARNERS, REFERENCES)
COLOUR = STYLES["NeuralODE"].colour
SYSTEMS = {"CubicSpiral": "period", "Lorenz": "Lyapunov time", "Rossler": "Lyapunov time"}
STEP = 0.02  # of the sample trajectories, in time units
LYAPUNOV_TIMES = STEP * 0.9056  # the same in Lyapunov times
Array = np.ndarray


def frame_of(
    columns: Callable[[int, int], Mapping[str, Any]],
    systems: Iterable[str] = SYSTEMS,
    learners: Iterable[str] = COMPARED,
    seeds: Iterable[int] = (0,),
) -> pd.DataFrame:
    """The columns of each learner, from its place among all and a seed, in one frame of all systems."""
    cells = product(systems, enumerate(learners), seeds)
    found = [
        pd.DataFrame(columns(place, seed)).assign(system=system, learner=learner, seed=seed)
        for system, (place, learner), seed in cells
    ]
    return pd.concat(found, ignore_index=True)


def prediction_times() -> pd.DataFrame:
    """Prediction times of every learner on every system, one of which has failed."""
    rng = np.random.default_rng(0)
    times = frame_of(lambda place, _: {"median": [6.0 - place + rng.uniform(0, 1)]}, learners=LEARNERS)
    times.loc[times["learner"] == "Persistence", "median"] = 0.1
    times = times.assign(low=0.85 * times["median"], high=1.12 * times["median"], status="ok")
    times["capped"] = (times["learner"] == "ResNet") & (times["system"] == "CubicSpiral")
    failed = (times["learner"] == "RKNet") & (times["system"] == "Rossler")
    times.loc[failed, ["median", "low", "high", "status"]] = [np.nan, np.nan, np.nan, "diverged"]
    return times


def error_growth() -> pd.DataFrame:
    time = np.linspace(0.02, 12, 200)
    growth = frame_of(
        lambda place, _: {"time": time, "median": 1e-3 * 2.5**place * np.exp((0.3 + 0.1 * place) * time)},
        learners=LEARNERS,
    )
    median = growth["median"].clip(upper=1.4).mask((growth["learner"] == "RKNet") & (growth["time"] > 9), np.inf)
    return growth.assign(low=median / 2, median=median, high=1.8 * median)


def learning_curves() -> pd.DataFrame:
    update = np.geomspace(10, 10_000, 30).round()
    curves = frame_of(lambda place, _: {"update": update, "place": place}, seeds=range(3))
    loss = (1 + 0.3 * curves["seed"]) * (0.02 + curves["place"] / 100 + 3 / curves["update"] ** 0.7)
    return curves.assign(seconds=1e-3 * curves["update"] * (1 + curves["place"]), valid_loss=loss)


def evaluations() -> pd.DataFrame:
    curves = learning_curves().query("learner in ['RKNet', 'NeuralODE']")
    growing = np.where(curves["learner"] == "RKNet", 8 + np.sqrt(curves["update"]) / 3, 4) + curves["seed"] % 2
    return curves.assign(nfe_forward=growing)


def costs(**names: str) -> pd.DataFrame:
    """Prediction times of all learners with their loss, and columns of these costs."""
    times = prediction_times()
    spent = {
        cost: np.random.default_rng(k).permutation(np.geomspace(1, 30, 6)).tolist() for k, cost in enumerate(names)
    }
    return times.assign(loss=-times["median"], **{cost: values * len(SYSTEMS) for cost, values in spent.items()})


def losses() -> pd.DataFrame:
    """Losses of the compared learners on thirty trials."""
    return pd.DataFrame(
        {name: np.random.default_rng(7 + k).gamma(6, 0.15 + 0.06 * k, 30) for k, name in enumerate(COMPARED)}
    )


def shares() -> pd.DataFrame:
    return prediction_times().pivot(index="learner", columns="system", values="median").loc[list(COMPARED)] / 7


def swept() -> pd.DataFrame:
    ends, times = ["median", "low", "high"], prediction_times()
    return pd.concat([times.assign(at=at, **times[ends].div(1 + 20 * at)) for at in (0.0, 0.01, 0.1)])


def together() -> pd.DataFrame:
    mean, chance = np.array([0.93, 0.81, 0.66, 0.42]), np.array([np.nan, 0.36, 0.24, 0.09])
    ends = {"mean": mean, "low": mean - 0.06, "high": mean + 0.05}
    chances = {"chance": chance, "chance_low": chance - 0.08, "chance_high": chance + 0.1}
    return pd.DataFrame({"learner": COMPARED, **ends, **chances})


@cache
def lorenz(strain: float = 0.0) -> Float[Array, "time 3"]:
    """A trajectory on the attractor, at parameters that are off by a fraction."""

    def velocity(state: Array, _: float) -> list[float]:
        x, y, z = state
        return [10 * (y - x), x * (28 * (1 + strain) - z) - y, x * y - 8 / 3 * z]

    return odeint(velocity, [-8.0, 7.0, 27.0], STEP * np.arange(6000), rtol=1e-8, atol=1e-8)


def runs() -> dict[str, Array]:
    return {learner: lorenz(0.01 * place) for place, learner in enumerate(COMPARED)}


def film() -> films.Film:
    forecasts = np.stack([lorenz(strain)[:300] for strain in (0.3, 0.1, 0.01)])
    times = LYAPUNOV_TIMES * np.arange(300)
    updates = np.array([0, 100, 10_000])
    truth = lorenz()[:300]
    data = truth + np.random.default_rng(6).standard_normal(truth.shape)
    return films.Film("Lorenz", "NeuralODE", "Lyapunov time", False, updates, times, truth, data, forecasts)


def fit() -> Figure:
    """Two fits to noisy data on the attractor."""
    times, truth = LYAPUNOV_TIMES * np.arange(500), lorenz()[:500]
    data = truth + np.random.default_rng(4).standard_normal(truth.shape)
    learned: dict[str, Array | str] = {"NeuralODE": lorenz(1e-5)[:500], "WindowedRNN": lorenz(0.01)[:500]}
    return time_series(times, truth, learned | {"Persistence": "timed out"}, STYLES, "Lyapunov time", data)


def walk(seed: int, chaotic: bool = True) -> Float[Array, "2 time"]:
    """A path of the 0-1 test: a random walk, or a ring."""
    if chaotic:
        return np.random.default_rng(seed).standard_normal((2, 2000)).cumsum(axis=1)
    turn = np.linspace(0, 60 * np.pi, 2000)
    return np.stack([8 * np.cos(turn), 8 * np.sin(turn)]) + 0.3 * np.random.default_rng(seed).standard_normal((2, 2000))


def pq_plots() -> Figure:
    paths = {learner: walk(place, learner != "RKNet") for place, learner in enumerate(COMPARED)}
    notes = {learner: "K = 0.02" if learner == "RKNet" else "K = 0.99" for learner in COMPARED}
    return portraits.pq_plots(walk(9), {**paths, "Persistence": "diverged"}, STYLES, notes)


def exponents() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    spectra = frame_of(
        lambda place, _: {"order": [1, 2, 3], "median": [1.0, 0.0, -16.1] + 0.3 * bool(place) * rng.standard_normal(3)},
        ("Lorenz", "Rossler"),
        WITH_TRUTH,
    )
    return spectra.assign(low=spectra["median"] - 0.15, high=spectra["median"] + 0.15)


def growing_tests() -> pd.DataFrame:
    length = np.geomspace(5, 200, 10)
    tests = frame_of(
        lambda place, _: {"length": length, "k": 1 - place / 5 - (0.3 + place / 9) / length**0.4},
        ("CubicSpiral", "Lorenz"),
        WITH_TRUTH,
    )
    return tests.assign(low=tests["k"] - 0.1, high=tests["k"] + 0.05, enough=100.0)


def power() -> pd.DataFrame:
    found = [power_spectrum(path[:, 0], LYAPUNOV_TIMES) for path in (lorenz(), *runs().values())]
    return frame_of(
        lambda place, _: dict(zip(("frequency", "power"), found[place], strict=True)), ["Lorenz"], WITH_TRUTH
    )


@cache
def waves(strain: float) -> Float[Array, "time site"]:
    """A trajectory of Lorenz's ring of 40 sites, whose force is off by a fraction from its beginning on."""

    def velocity(x: Array, time: float) -> Array:
        return (np.roll(x, -1) - np.roll(x, 2)) * np.roll(x, 1) - x + 8 * (1 + strain * (time > 10))

    start, times = 8 + np.random.default_rng(5).standard_normal(40), 10 + STEP * np.arange(200)
    return odeint(velocity, start, [0, *times], mxstep=5000)[1:]


def wave_numbers() -> pd.DataFrame:
    found = [spatial_power(waves(0.3 * place)) + 1e-6 * place for place in range(5)]
    return frame_of(lambda place, _: {"wave": range(21), "power": found[place]}, ["Lorenz96"], WITH_TRUTH)


def forecasts() -> dict[str, Array | str]:
    found = {learner: waves(0.15 * (1 + place)) for place, learner in enumerate(COMPARED[:3])}
    return {**found, "RKNet": np.where(np.arange(200)[:, None] > 120, np.nan, waves(0.8)), "Persistence": "timed out"}


def spirals() -> Float[Array, "place time 2"]:
    """Spirals on the way from one sense of rotation to the other."""
    turn, radius = np.linspace(-3, 18, 200), np.linspace(0.4, 2.4, 200)
    return np.stack(
        [np.column_stack([radius * np.cos(turn), s * radius * np.sin(turn)]) for s in np.linspace(-1, 1, 7)]
    )


def fields() -> Figure:
    places = np.stack(np.meshgrid(*[np.linspace(-2.5, 2.5, 15)] * 2), -1).reshape(-1, 2)
    x, y = places.T
    flow, *learned = (np.column_stack([y, (1 + 0.4 * k) * (1 - x**2) * y - x]) for k in (0, 0, 1, 2))
    return vector_fields(places, flow, dict(zip(COMPARED, learned, strict=False)), STYLES)


def sweep() -> pd.DataFrame:
    def swept(place: int, seed: int) -> dict[str, Any]:
        nfe = np.array([8, 14, 26, 44, 80]) + 6 * place + 2 * seed
        error, backward = 30.0 * (1 + 4 * place) * nfe**-3.5, nfe * (0.55 + 0.45 * place)
        return {"nfe_forward": nfe, "error": error, "nfe_backward": backward, "tolerance": range(5)}

    return frame_of(swept, ("Digits", "MNIST"), ("RKNet", "NeuralODE"), range(3))


def memory() -> pd.DataFrame:
    steps = np.array([4, 8, 16, 32, 64])
    growth = {"RKNet": 2.6e5 * steps, "ODENet": np.full(5, 3e5), "ResNet": 1.3e5 * steps}
    kinds = [pd.DataFrame({"steps": steps, "bytes": taken, "kind": kind}) for kind, taken in growth.items()]
    saved = pd.concat(kinds, ignore_index=True).assign(measure="saved_bytes", system="Spiral")
    return pd.concat([saved, saved.assign(measure="peak_bytes", bytes=6 * saved["bytes"])])


def timings() -> dict[str, object]:
    """Times such as `python -m bench time` writes."""
    parts = {"forward": 0.4, "backward": 0.5, "descent": 0.2, "update": 1.15}
    times = []
    for place, learner in enumerate(COMPARED):
        base = {"learner": learner, "precision": "float32"}
        for variant, share in (("eager", 1.0), ("compiled", 0.7)):
            for part, cost in parts.items():
                seconds = 1e-3 * share * cost * (1 + place) * np.linspace(0.95, 1.1, 9)
                times.append(base | {"variant": variant, "part": part, "times": seconds.tolist()})
        for axis, values in {"batch": (32, 128, 512), "width": (16, 64, 256), "seeds": (1, 2, 4, 8)}.items():
            for value in values:
                seconds = 1e-3 * (1 + place) * (1 + value / values[1]) / 2
                entry = {"variant": "eager", "part": "update", "axis": axis, "value": value, "times": [seconds]}
                times.append(base | entry)
    return {"learners": list(COMPARED), "times": times}


COSTS_OF_FIT = {"fit_seconds": "fit time (s)", "parameters": "parameters", "saved_bytes": "saved bytes"}
FIGURES: dict[str, Callable[[], Figure]] = {
    "prediction_times": lambda: performance.prediction_times(prediction_times(), STYLES, SYSTEMS),
    "error_growth": lambda: performance.error_growth(error_growth(), STYLES, SYSTEMS),
    "learning_curves": lambda: performance.learning_curves(learning_curves(), STYLES),
    "pareto": lambda: comparison.pareto_page(costs(**COSTS_OF_FIT), STYLES, COSTS_OF_FIT, SYSTEMS),
    "critical_difference": lambda: comparison.critical_difference(rank_table(losses()), STYLES),
    "performance_profile": lambda: comparison.performance_profile(
        performance_profile(losses(), np.geomspace(1, 8, 60).tolist()), STYLES
    ),
    "aggregates": lambda: comparison.aggregate_figure(together(), STYLES),
    "wins_by_system": lambda: comparison.wins_by_system(shares(), shares() > 0.9),
    "sweep": lambda: sweep_figure(swept(), STYLES, "Sampling.noise", "VPT"),
    "win_matrix": lambda: comparison.win_matrix(win_matrix(losses()), len(losses())),
    "fits": fit,
    "attractors": lambda: portraits.attractors(
        lorenz(), {**runs(), "Persistence": np.tile(lorenz()[:1], (3000, 1))}, LYAPUNOV_TIMES, "Lyapunov time"
    ),
    "pq_plots": pq_plots,
    "return_maps": lambda: chaos.return_maps(
        lorenz()[:, 2], {name: path[:, 2] for name, path in runs().items()} | {"Persistence": "at rest"}, STYLES
    ),
    "lyapunov_spectra": lambda: chaos.lyapunov_spectra(exponents(), STYLES, SYSTEMS),
    "tests_by_length": lambda: chaos.tests_by_length(growing_tests(), STYLES, SYSTEMS),
    "power_spectra": lambda: chaos.power_spectra(power(), STYLES, SYSTEMS),
    "vector_fields": fields,
    "film": lambda: films.frame(film(), 1, COLOUR),
    "film_strip": lambda: films.strip(film(), COLOUR),
    "homotopy": lambda: portraits.homotopy(
        dict.fromkeys(("LatentODE", "LatentRNN"), (spirals(), np.linspace(-0.5, 3.0, 200))), "turn"
    ),
    "space_time": lambda: space_time(np.linspace(0, 4, 200), waves(0.0), forecasts(), "Lyapunov time"),
    "spatial_spectra": lambda: chaos.spatial_spectra(wave_numbers(), STYLES),
    "depth_error": lambda: depth.sweep_figure(sweep(), STYLES, depth.ERROR),
    "depth_backward": lambda: depth.sweep_figure(sweep(), STYLES, depth.BACKWARD),
    "evaluations_in_training": lambda: depth.evaluations_in_training(evaluations(), STYLES),
    "memory_against_steps": lambda: depth.memory_against_steps(memory()),
    "update_times": lambda: timing.update_times(timings()),
    "scaling": lambda: timing.scaling(timings()),
}
