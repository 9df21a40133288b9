"""The pictures of chaos in a run: Lyapunov spectra, power spectra of long runs, and return maps."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from results.figures.chaos import lyapunov_spectra, maxima, power_spectra, power_spectrum, return_maps
from results.formatting import slug
from results.report.gallery import Gallery, Picture, of_seeds
from results.statistics.trials import TRUTH

FEWEST_MAXIMA = 20  # of the truth, below which a return map says nothing
SPREAD = 0.02  # of the range of the truth: maxima that are all alike are those of a cycle


def chaos_pictures(gallery: Gallery) -> Iterator[Picture]:
    """The figures of the long runs of chaotic systems; only such as there are data for."""
    spectra = exponents(gallery)
    if len(spectra):
        yield Picture(
            "lyapunov_spectra",
            "Lyapunov spectra",
            "Lyapunov exponents per timescale, from the learned models themselves, the largest ten at most: medians "
            "over seeds with medians of the ends of their 95 % intervals over states. Broad grey steps are those of "
            "the true equations, found in the same way.",
            lyapunov_spectra(spectra, gallery.styles, gallery.run.timescales),
        )
    powers = power(gallery)
    if len(powers):
        yield Picture(
            "power_spectra",
            "Power spectra",
            "Power over frequency of the first channel of the first long run (first seed), by Welch's method; the "
            "truth is the broad grey line. What diverged is not drawn.",
            power_spectra(powers, gallery.styles, gallery.run.timescales),
        )
    for system in gallery.run.timescales:
        yield from _return_map(gallery, system)


def exponents(gallery: Gallery) -> pd.DataFrame:
    """`median`, `low` and `high` of each exponent by system, learner and `order`; the truth's have the learner ""."""
    run, found = gallery.run, []
    for system in run.timescales:
        known = {learner: gallery.arrays(system, learner) for learner in run.learners}
        spectra = {learner: of_seeds(arrays, "exponents") for learner, arrays in known.items() if "exponents" in arrays}
        truths = [learner for learner in spectra if learner.split("[")[0] == TRUTH and len(spectra[learner])]
        for learner in [*truths[:1], *(name for name in run.compared if len(spectra.get(name, ())))] if truths else ():
            values = np.median(spectra[learner], axis=0)
            table = pd.DataFrame(values.T, columns=["median", "low", "high"]).assign(
                order=range(1, values.shape[1] + 1)
            )
            found.append(table.assign(system=system, learner="" if learner in truths else learner))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def power(gallery: Gallery) -> pd.DataFrame:
    """The power spectra of the truth (learner "") and of every compared learner, of systems that are no rings."""
    run, found = gallery.run, []
    for system in run.timescales:
        truth = {} if system in gallery.rings else gallery.truth(system)
        if not truth:
            continue
        paths = {learner: path for learner, path in gallery.paths(system, "climate").items() if learner in run.compared}
        for learner, path in {"": truth["climate_truth"], **paths}.items() if paths else ():
            if not isinstance(path, str) and np.isfinite(path).all():
                frequency, values = power_spectrum(path[:, 0].astype(float), float(truth["climate_times"][0]))
                table = pd.DataFrame({"frequency": frequency, "power": values})
                found.append(table.assign(system=system, learner=learner))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def _return_map(gallery: Gallery, system: str) -> Iterator[Picture]:
    """Of systems with three channels, whose third one has maxima that differ."""
    truth = {} if system in gallery.rings else gallery.truth(system)
    if not truth or truth["climate_truth"].shape[1] != 3:
        return
    series = truth["climate_truth"][:, 2]
    known = maxima(series)
    if len(known) < FEWEST_MAXIMA or np.ptp(known) < SPREAD * np.ptp(series):
        return
    learned = {
        learner: path if isinstance(path, str) else path[:, 2]
        for learner, path in gallery.paths(system, "climate").items()
        if learner in gallery.run.compared
    }
    yield Picture(
        f"return_map-{slug(system)}",
        "Return map",
        "Each maximum of the third channel of the first long run against the next one (first seed), with the truth in "
        "grey behind every learner: a model may leave the true trajectory and still follow the same map.",
        return_maps(series, learned, gallery.styles, "x₃"),
        system,
        dense=True,
    )
