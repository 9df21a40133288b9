"""The figures that set learners against each other: critical differences, wins, Pareto fronts."""

from collections.abc import Iterator

from results.figures.comparison import critical_difference, pareto_page, win_matrix
from results.report.figure_data import FigureData, Picture
from results.statistics.pareto import COSTS, points
from results.statistics.ranking import paired_losses, ranking
from results.statistics.ranking import win_matrix as shares_of_wins
from results.statistics.trials import LEADING_METRIC

FEWEST = 3  # learners, and systems, below which ranks say nothing


def leaderboard_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of ranks, wins and costs that there are data for."""
    yield from _ranks(data)
    yield from _fronts(data)


def _ranks(data: FigureData) -> Iterator[Picture]:
    run, frame = data.run, data.frame
    if min(len(run.compared), len(run.timescales)) < FEWEST or LEADING_METRIC not in run.metrics:
        return
    ranks = ranking(frame, run.compared)
    if len(ranks.learners) >= FEWEST and ranks.blocks >= FEWEST:
        yield Picture(
            "ranks",
            "Ranks and what they resolve",
            "Mean rank of each learner over the systems by valid prediction time, failed trials at the worst rank. "
            f"Bars join learners that Nemenyi's test at 5 % cannot tell apart. {ranks.statement}",
            critical_difference(ranks, data.styles),
        )
        pairs = paired_losses(frame, ranks.learners)
        yield Picture(
            "wins",
            "Who beats whom",
            "Share of the trials (system and seed) in which the learner of a row predicts longer than that of a "
            "column; ties count half.",
            win_matrix(shares_of_wins(pairs), len(pairs)),
        )


def _fronts(data: FigureData) -> Iterator[Picture]:
    run, frame = data.run, data.frame
    compared = frame.loc[frame["learner"].isin(run.compared)]
    costs = {cost: label for cost, label in COSTS.items() if cost in run.metrics}
    if (
        len(run.compared) < FEWEST
        or LEADING_METRIC not in run.metrics
        or not costs
        or not compared["value"].notna().any()
    ):
        return
    yield Picture(
        "pareto",
        "Accuracy against every cost",
        "Valid prediction time against function evaluations, memory, time and size, medians over seeds: up and to the "
        "left is better. Learners on a stair are beaten by no other in both.",
        pareto_page(points(compared, LEADING_METRIC, tuple(costs)), data.styles, costs, "VPT"),
    )
