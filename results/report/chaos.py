"""The figures of long runs: Lyapunov spectra, power spectra and return maps; of rings, in space and time."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import signal

from results.figures.chaos import (
    lyapunov_spectra,
    maxima,
    power_spectra,
    return_maps,
    spatial_spectra,
    tests_by_length,
)
from results.figures.fields import space_time
from results.formatting import slug
from results.report.figure_data import FigureData, Picture

FEWEST_MAXIMA = 20  # of the truth, below which a return map says nothing
ENOUGH = 1000  # samples, one of so many that they are not too dense, below which K is not to be relied on
SEGMENT = 1024  # samples of each segment of a power spectrum
LEAST_RANGE = 0.02  # of the range of the truth: maxima that are all alike are those of a cycle


def chaos_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of the long runs of chaotic systems; only such as there are data for."""
    spectra = exponents(data)
    if len(spectra):
        yield Picture(
            "lyapunov_spectra",
            "Lyapunov spectra",
            "Lyapunov exponents per timescale, from the learned models themselves, the largest ten at most: medians "
            "over seeds, from the lowest to the highest end of the seeds' 95 % intervals over states. Broad grey steps "
            "are those of the true equations, found in the same way.",
            partial(lyapunov_spectra, spectra, data.styles, data.run.timescales),
        )
    tests = growing_tests(data)
    if len(tests):
        yield Picture(
            "tests_by_length",
            "How long is long enough?",
            "K of the 0-1 test of ever longer beginnings of the first long run, near 0 for regular motion and near 1 "
            "for chaos: medians over seeds, between the lowest and the highest; the truth is the broad grey line. Left "
            "of the dashed line there are fewer samples than the test needs.",
            partial(tests_by_length, tests, data.styles, data.run.timescales),
        )
    powers = power(data)
    if len(powers):
        yield Picture(
            "power_spectra",
            "Power spectra",
            "Power over frequency of the first channel that moves in the first long run (first seed), by Welch's "
            "method; the truth is the broad grey line. What diverged is not drawn.",
            partial(power_spectra, powers, data.styles, data.run.timescales),
        )


def growing_tests(data: FigureData) -> pd.DataFrame:
    """K of the 0-1 test of the truth (learner "") and of every compared learner, by the `length` of the run."""
    found = []
    for (system, learner), arrays in data.cells.items():
        values = data.of_seeds(system, learner, "k")
        if learner not in data.run.compared or not len(values):
            continue
        enough = ENOUGH * arrays["pq_sampling"][0] * arrays["climate_times"][0]
        place = {"system": system, "length": arrays["k_times"], "enough": float(enough)}
        if not any(table["system"].iloc[0] == system for table in found):
            found.append(pd.DataFrame({**place, "learner": "", "k": arrays["k_truth"]}))
        spread = {"low": values.min(axis=0), "k": np.median(values, axis=0), "high": values.max(axis=0)}
        found.append(pd.DataFrame({**place, "learner": learner, **spread}))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def exponents(data: FigureData) -> pd.DataFrame:
    """`median`, `low` and `high` of each exponent by system, learner and `order`; the truth's have the learner ""."""
    compared = data.run.compared
    found = []
    for system in data.run.timescales:
        spectra = {learner: data.of_seeds(system, learner, "exponents") for learner in (*data.truths, *compared)}
        measured = {learner: values for learner, values in spectra.items() if len(values)}
        truth = next((learner for learner in data.truths if learner in measured), None)
        shown = [learner for learner in compared if learner in measured]
        for learner in (truth, *shown) if truth and shown else ():
            of_seeds = measured[learner]  # [seed, (mean, low, high), exponent]
            table = pd.DataFrame({"median": np.median(of_seeds[:, 0], axis=0), "low": of_seeds[:, 1].min(axis=0)})
            table = table.assign(high=of_seeds[:, 2].max(axis=0), order=range(1, len(table) + 1), system=system)
            found.append(table.assign(learner="" if learner == truth else learner))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def power(data: FigureData) -> pd.DataFrame:
    """The power spectra of the truth (learner "") and of every compared learner, of systems that are no rings."""
    found = []
    for system in data.run.timescales:
        truth = {} if system in data.rings else data.truth(system)
        moves = np.ptp(truth["climate_truth"], axis=0) > 0 if truth else np.array([False])
        if not moves.any():
            continue
        channel = int(moves.argmax())
        paths = {
            learner: path for learner, path in data.paths(system, "climate").items() if learner in data.run.compared
        }
        for learner, path in {"": truth["climate_truth"], **paths}.items() if paths else ():
            if not isinstance(path, str) and np.isfinite(path).all():
                frequency, values = power_spectrum(path[:, channel].astype(float), float(truth["climate_times"][0]))
                table = pd.DataFrame({"frequency": frequency, "power": values})
                found.append(table.assign(system=system, learner=learner))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def power_spectrum(
    series: Float[np.ndarray, " time"], step: float
) -> tuple[Float[np.ndarray, " frequency"], Float[np.ndarray, " frequency"]]:
    """Frequencies and the power of a series at each, by Welch's mean over half-overlapping segments."""
    frequency, power = signal.welch(series, 1 / step, nperseg=min(SEGMENT, len(series)))
    return frequency[1:], power[1:]


def return_map(data: FigureData, system: str) -> Iterator[Picture]:
    """The return map of a system with three channels, whose third one has maxima that differ."""
    truth = {} if system in data.rings else data.truth(system)
    if not truth or truth["climate_truth"].shape[1] != 3:
        return
    series = truth["climate_truth"][:, 2]
    known = maxima(series)
    if len(known) < FEWEST_MAXIMA or np.ptp(known) < LEAST_RANGE * np.ptp(series):
        return
    learned = {
        learner: path if isinstance(path, str) else path[:, 2]
        for learner, path in data.paths(system, "climate").items()
        if learner in data.run.compared
    }
    yield Picture(
        f"return_map-{slug(system)}",
        "Return map",
        "Each maximum of the third channel of the first long run against the next one (first seed), with the truth in "
        "grey behind every learner: a model may leave the true trajectory and still follow the same map.",
        partial(return_maps, series, learned, data.styles, "x₃"),
        system,
        dense=True,
    )


def ring_pictures(data: FigureData) -> Iterator[Picture]:
    """The spatial spectra of the rings of a run; none of any other run."""
    found = []
    for system in data.rings:
        runs = {"": data.truth(system)["climate_truth"], **data.paths(system, "climate")}
        for learner, path in runs.items():
            if not isinstance(path, str):
                power = spatial_power(path)
                spectrum = pd.DataFrame({"wave": range(len(power)), "power": power})
                found.append(spectrum.assign(system=system, learner=learner))
    if found:
        yield Picture(
            "spatial_spectra",
            "Spatial spectra",
            "Power of each wave number, mean over the first long run (first seed); the truth is the broad grey "
            "line. What diverged is not drawn.",
            partial(spatial_spectra, pd.concat(found, ignore_index=True), data.styles),
        )


def fields_in_time(data: FigureData, system: str) -> Iterator[Picture]:
    """The forecasts of a ring in space and time."""
    if system not in data.rings:
        return
    arrays, paths = data.truth(system), data.paths(system, "forecast")
    forecasts = {learner: path if isinstance(path, str) else path[0] for learner, path in paths.items()}
    yield Picture(
        f"space_time-{slug(system)}",
        "Space and time",
        "The first test state: its truth, the forecast of every learner (first seed), and on the right how far "
        "that is from the truth. White is where a forecast left the finite numbers.",
        partial(space_time, arrays["times"], arrays["truth"][0], forecasts, data.run.timescales[system]),
        system,
        dense=True,
    )


def spatial_power(run: Float[np.ndarray, "time site"]) -> Float[np.ndarray, " wave"]:
    """Mean over time of |rfft|^2 over the sites, as a fraction of their squared number; infinite after divergence."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (np.abs(np.fft.rfft(run, axis=1) / run.shape[1]) ** 2).mean(axis=0)
