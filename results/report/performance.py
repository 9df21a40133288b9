"""The figures of performance of a run: prediction times, error growth, learning curves."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from results.figures import performance as figures
from results.figures.depth import evaluations_in_training
from results.report.figure_data import FigureData, Picture
from results.statistics.trials import column, rows

CLASSES = "test_error"  # a metric of classifiers alone
PLACE = ["system", "learner", "seed"]


def with_samples(curves: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Learning curves with the `samples` that were seen up to each point, updates being of one size."""
    samples, updates = (rows(frame, metric=metric).set_index(PLACE)["value"] for metric in ("samples", "updates"))
    merged = curves.join((samples / updates).to_frame("batch"), on=PLACE)
    return merged.assign(samples=merged["update"] * merged["batch"])


def accuracy_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of prediction times and of the growth of errors that there are data for."""
    times, timescales = data.prediction_times, data.run.timescales
    if column(times, "median").notna().any():
        yield Picture(
            "prediction_times",
            "Valid prediction time",
            "Time until the error exceeds 0.5 standard deviations: median over seeds of the median over test "
            "states, with 95 % intervals over seeds and test states. Reference rows are grey and hatched; ≥ "
            "marks times that only the horizon ends, or the time up to which the truth itself is known.",
            partial(figures.prediction_times, times, data.styles, timescales),
        )
    growth = []
    for (system, learner), arrays in data.cells.items():
        quartiles = data.of_seeds(system, learner, "error_quartiles")
        if len(quartiles):
            curve = pd.DataFrame(np.median(quartiles, axis=0).T, columns=["low", "median", "high"])
            growth.append(curve.assign(system=system, learner=learner, time=arrays["times"]))
    if growth:
        yield Picture(
            "error_growth",
            "Error growth",
            "Error of the forecast in standard deviations of the training data (NRMSE): median over test states, "
            "and for the compared learners the band between the quartiles, medians over seeds. A cross marks a "
            "divergence; thin lines are the thresholds of the two prediction times. The axis ends at "
            f"{figures.FLOOR:g} and {figures.CEILING:g}.",
            partial(figures.error_growth, pd.concat(growth, ignore_index=True), data.styles, timescales),
        )


def training_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of learning curves and of evaluations while training that there are data for."""
    trained = data.run.curves().dropna(subset="valid_loss")  # not of fits that are not made of updates
    for against, axis in (("update", "updates"), ("seconds", "time")) if len(trained) else ():
        yield Picture(
            f"learning_curves_{axis}",
            f"Learning curves over {axis}",
            f"Validation loss against {axis}: median over seeds, with the band between the lowest and the highest. "
            "Losses of different kinds of learners are of different quantities.",
            partial(figures.learning_curves, trained, data.styles, against),
        )
    if len(trained) and CLASSES in data.run.metrics:
        yield Picture(
            "learning_curves_images",
            "Loss over images seen",
            "Training loss against the images that were seen until then: median over seeds, with the band between the "
            "lowest and the highest.",
            partial(figures.learning_curves, with_samples(trained, data.frame), data.styles, "samples", "train_loss"),
        )
    distinct = trained.groupby(["learner", "system", "seed"], sort=False)["nfe_forward"].nunique()
    adaptive = distinct.loc[distinct > 1].index.unique("learner").tolist()  # whose evaluations change while training
    if adaptive:
        yield Picture(
            "nfe_training",
            "Evaluations while training",
            "Forward evaluations of one update as training goes on, of learners whose solver chooses its steps: "
            "median over seeds, between the fewest and the most.",
            partial(evaluations_in_training, trained.loc[trained["learner"].isin(adaptive)], data.styles),
        )
