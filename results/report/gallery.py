"""Which figures a run has: the data of each are gathered from the store, drawn, and told in a caption."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from results.figures import fields, portraits
from results.figures import performance as figures
from results.figures.depth import evaluations_in_training
from results.figures.homotopy import homotopy
from results.figures.orbits import orbits
from results.figures.style import Style, styles
from results.formatting import ABSENT, slug, status
from results.statistics.intervals import Interval, prediction_time_interval
from results.statistics.trials import column, groups, rows, summary
from results.store.run import Run

Arrays = dict[str, np.ndarray]
FEWEST_SAMPLES, OVERSAMPLED = 1000, 10.0  # between which the 0-1 test may be trusted
COSTS = {"fit_seconds": "fit time (s)", "nfe_forecast": "NFE of a forecast (1/timescale)"}


@dataclass(frozen=True)
class Picture:
    """A figure with its file name, title and caption; `system` is empty where it shows all of them."""

    name: str
    title: str
    caption: str
    figure: Figure
    system: str = ""
    dense: bool = False  # so many lines that a page had better show pixels


@dataclass(frozen=True)
class Gallery:
    """All figures of a run, and the data in them; a cell without evidence is shown as words that say why."""

    run: Run
    frame: pd.DataFrame  # the long form of the run

    @cached_property
    def styles(self) -> dict[str, Style]:
        return styles(self.run.learners, self.run.references)

    @cached_property
    def prediction_times(self) -> pd.DataFrame:
        """`median`, `low` and `high` of the prediction time of each cell, its `status`, and whether it is `capped`."""
        found = []
        for system in self.run.timescales:
            for learner in self.run.learners:
                arrays = self._arrays.get((system, learner), {})
                vpt = of_seeds(arrays, "vpt")
                interval = prediction_time_interval(vpt) if len(vpt) else Interval(np.nan, np.nan, np.nan)
                cell = {"system": system, "learner": learner, "status": self._status(system, learner)}
                longest = float(np.median(arrays["vpt_longest"])) if "vpt_longest" in arrays else np.inf
                found.append(cell | asdict(interval) | {"capped": interval.median >= longest * (1 - 1e-6)})
        return pd.DataFrame(found, columns=["system", "learner", "median", "low", "high", "status", "capped"])

    def pictures(self) -> Iterator[Picture]:
        """The figures of all systems first, then those of each; only such as there are data for."""
        yield from self._accuracy()
        yield from self._training()
        yield from self._costs()
        yield from self._spectra()
        for system in self.run.timescales:
            yield from self._space_time(system)
            yield from self._homotopy(system)
            yield from self._portraits(system)

    def orbits(self) -> dict[str, dict[str, Any]]:
        """The long runs of each system that has three channels which are not the sites of a ring."""
        found = {}
        for system in self.run.timescales:
            truth = {} if system in self.rings else self.truth(system)
            runs = orbits(truth["climate_truth"], self.paths(system, "climate"), self.styles) if truth else None
            if runs:
                found[system] = runs
        return found

    def _accuracy(self) -> Iterator[Picture]:
        if column(self.prediction_times, "median").notna().any():
            yield Picture(
                "prediction_times",
                "Valid prediction time",
                "Time until the error exceeds 0.5 standard deviations: median over seeds of the median over test "
                "states, with 95 % bootstrap intervals over the test states. Reference rows are grey and hatched; ≥ "
                "marks times that only the horizon ends, or the time up to which the truth itself is known.",
                figures.prediction_times(self.prediction_times, self.styles, self.run.timescales),
            )
        growth = [
            pd.DataFrame(np.median(quartiles, axis=0).T, columns=["low", "median", "high"]).assign(
                system=system, learner=learner, time=arrays["times"]
            )
            for (system, learner), arrays in self._arrays.items()
            if len(quartiles := of_seeds(arrays, "error_quartiles"))
        ]
        if growth:
            yield Picture(
                "error_growth",
                "Error growth",
                "Error of the forecast in standard deviations of the training data (NRMSE): median over test states, "
                "and for the compared learners the band between the quartiles, medians over seeds. A cross marks a "
                "divergence; thin lines are the thresholds of the two prediction times.",
                figures.error_growth(pd.concat(growth, ignore_index=True), self.styles, self.run.timescales),
            )

    def _training(self) -> Iterator[Picture]:
        trained = self.run.curves().dropna(subset="valid_loss")  # not of fits that are not made of updates
        for against, axis in (("update", "updates"), ("seconds", "time")) if len(trained) else ():
            yield Picture(
                f"learning_curves_{axis}",
                f"Learning curves over {axis}",
                f"Validation loss against {axis}: median over seeds, with the band between the lowest and the highest. "
                "Losses of different kinds of learners are of different quantities.",
                figures.learning_curves(trained, self.styles, against),
            )

        adaptive = [learner for (learner,), curve in groups(trained, "learner") if _vary(curve)]
        if adaptive:
            yield Picture(
                "nfe_training",
                "Evaluations while training",
                "Forward evaluations of one update as training goes on, of learners whose solver chooses its steps: "
                "median over seeds, between the fewest and the most.",
                evaluations_in_training(trained.loc[trained["learner"].isin(adaptive)], self.styles),
            )

    def _costs(self) -> Iterator[Picture]:
        totals = summary(self.frame)
        for metric, label in COSTS.items():
            costs = column(rows(totals, metric=metric).set_index(["system", "learner"]), "median").rename("cost")
            points = self.prediction_times.join(costs, on=["system", "learner"])
            if set(points.dropna(subset=["cost", "median"])["learner"]) & set(self.run.compared):
                yield Picture(
                    f"cost_{metric}",
                    f"Accuracy against {label.split(' (')[0]}",
                    "Valid prediction time against what it costs, medians over seeds, with 95 % intervals of the "
                    "prediction time: up and to the left is better. Reference rows are levels across the panels.",
                    figures.cost_accuracy(points, self.styles, self.run.timescales, label),
                )

    def _spectra(self) -> Iterator[Picture]:
        """Of the systems whose channels are the sites of a ring."""
        found = []
        for system in self.rings:
            runs = {"": self.truth(system)["climate_truth"], **self.paths(system, "climate")}
            for learner, path in runs.items():
                if not isinstance(path, str):
                    power = fields.spatial_power(path)
                    found.append(
                        pd.DataFrame({"wave": range(len(power)), "power": power}).assign(system=system, learner=learner)
                    )
        if found:
            yield Picture(
                "spatial_spectra",
                "Spatial spectra",
                "Power of each wave number, mean over the first long run (first seed); the truth is the broad grey "
                "line. What diverged is not drawn.",
                fields.spatial_spectra(pd.concat(found, ignore_index=True), self.styles),
            )

    def _space_time(self, system: str) -> Iterator[Picture]:
        if system not in self.rings:
            return
        arrays, timescale = self.truth(system), self.run.timescales[system]
        forecasts = {
            learner: path if isinstance(path, str) else path[0]
            for learner, path in self.paths(system, "forecast").items()
        }
        yield Picture(
            f"space_time-{slug(system)}",
            "Space and time",
            "The first test state: its truth, the forecast of every learner (first seed), and on the right how far "
            "that is from the truth. White is where a forecast left the finite numbers.",
            fields.space_time(arrays["times"], arrays["truth"][0], forecasts, timescale),
            system,
            dense=True,
        )

    def _homotopy(self, system: str) -> Iterator[Picture]:
        """Of models with latent states."""
        found = {
            learner: (paths[0], self._arrays[system, learner]["path_times"])
            for learner in self.run.learners
            if len(paths := of_seeds(self._arrays.get((system, learner), {}), "path"))
        }
        if found:
            yield Picture(
                f"homotopy-{slug(system)}",
                "Between two latent states",
                "Trajectories decoded from evenly spaced places on the line between the latent states of the first two "
                "test states (first seed), by their first two channels. A dot is where the observed interval begins; "
                "what the latent dynamics were before it is grey, where they can be followed backwards.",
                homotopy(found, self.run.timescales[system]),
                system,
            )

    def _portraits(self, system: str) -> Iterator[Picture]:
        truth = self.truth(system)
        if not truth:
            return
        states, step, timescale = truth["climate_truth"], truth["climate_times"][0], self.run.timescales[system]
        length = f"{min(len(states), portraits.POINTS) * step:.3g} {timescale}s"
        yield Picture(
            f"attractors-{slug(system)}",
            "Long run",
            f"The first long run of the truth and of every learner (first seed) over {length}, within the same limits; "
            "a dot is a state at rest.",
            portraits.attractors(states, self.paths(system, "climate"), self.styles, step, timescale),
            system,
            dense=True,
        )
        yield Picture(
            f"pq-{slug(system)}",
            "0-1 test for chaos",
            "Paths (p, q) of the 0-1 test on the first long run (first seed): bounded for regular motion, like a "
            "random walk for chaos. K is the median over seeds, near 0 for regular motion and near 1 for chaos. "
            + _subsampling(*truth["pq_sampling"]),
            portraits.pq_plots(truth["pq_truth"], self.paths(system, "pq"), self.styles, self._chaos(system)),
            system,
            dense=True,
        )

    @cached_property
    def rings(self) -> list[str]:
        """The systems whose channels are the sites of a ring, in their order, as far as there is evidence of them."""
        first = {cell.system: cell.key for cell in self.run.finished}
        return [
            system
            for system in self.run.timescales
            if self.run.store.cell(first[system]).get("ring") and self.truth(system)
        ]

    def truth(self, system: str) -> Arrays:
        """The arrays of a cell that has evidence, for what all cells of the system share; empty if none has."""
        return next((arrays for (its, _), arrays in self._arrays.items() if its == system and "pq_truth" in arrays), {})

    def arrays(self, system: str, learner: str) -> Arrays:
        """What a cell has kept for figures; empty where it is not finished."""
        return self._arrays.get((system, learner), {})

    @cached_property
    def _keys(self) -> dict[tuple[str, str], str]:
        return {(cell.system, cell.learner): cell.key for cell in self.run.finished}

    @cached_property
    def _arrays(self) -> dict[tuple[str, str], Arrays]:
        return {place: self.run.store.arrays(key) for place, key in self._keys.items()}

    def _status(self, system: str, learner: str) -> str:
        """How a cell ended, in words: ok where any of its seeds did."""
        key = self._keys.get((system, learner))
        ended = [record.status for record in self.run.records.get(key or "", ())] or [ABSENT]
        return "ok" if "ok" in ended else status(ended[0])

    def paths(self, system: str, name: str) -> dict[str, np.ndarray | str]:
        """The path of the first seed of each learner that has one, or why there is none."""
        found = {learner: of_seeds(self._arrays.get((system, learner), {}), name) for learner in self.run.learners}
        return {learner: paths[0] if len(paths) else self._status(system, learner) for learner, paths in found.items()}

    def _chaos(self, system: str) -> dict[str, str]:
        measured = rows(self.frame, system=system, metric="zero_one_k")
        medians = column(measured, "value").groupby(measured["learner"]).median().dropna()
        return {str(learner): f"K = {round(value, 2) + 0.0:.2f}" for learner, value in medians.items()}


def _vary(curve: pd.DataFrame) -> bool:
    """Whether the evaluations of an update change while training on some system."""
    return bool((column(curve, "nfe_forward").groupby([curve["system"], curve["seed"]]).nunique() > 1).any())


def of_seeds(arrays: Arrays, name: str) -> np.ndarray:
    """One array of a cell for the seeds that have it: nowhere a number are those of a seed that failed."""
    values = arrays.get(name, np.empty((0, 1))).astype(np.float64)
    return values[[not np.isnan(of_one).all() for of_one in values]] if len(values) else values


def _subsampling(lag: float, samples: float, oversampling: float) -> str:
    """What the test was applied to, and why its outcome may not be trusted.

    Too dense a sampling makes chaos pass for regular: Gottwald and Melbourne, 2009.
    """
    said = f"Tested on every {lag:.0f}. sample, {samples:.0f} in all"
    doubts = [
        *(["fewer than the 1,000 that it needs"] if samples < FEWEST_SAMPLES else []),
        *([f"still oversampled (range {oversampling:.0f} times the mean step)"] if oversampling > OVERSAMPLED else []),
    ]
    return f"{said}: {' and '.join(doubts)}, so that K may be too low." if doubts else f"{said}."
