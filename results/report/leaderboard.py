"""The pictures of who stands where: critical differences, wins, Pareto fronts, memory against solver steps."""

from collections.abc import Iterator

from results.figures.comparison import critical_difference, pareto_page, win_matrix
from results.figures.memory import memory_against_steps
from results.report.gallery import Gallery, Picture
from results.report.memory import memory_points
from results.statistics.pareto import COSTS, points
from results.statistics.ranking import paired_losses, ranking
from results.statistics.ranking import win_matrix as shares_of_wins

FEWEST = 3  # learners, and systems, below which ranks say nothing


def standings(gallery: Gallery) -> Iterator[Picture]:
    """The figures that set learners against each other; only such as there are data for."""
    yield from _ranks(gallery)
    yield from _fronts(gallery)
    memory = memory_points(gallery.frame)
    if len(memory):
        yield Picture(
            "memory_steps",
            "Memory against solver steps",
            "Memory of an update against the function evaluations of its forward pass, for each kind of learner that "
            "the run has at several numbers of steps: medians over seeds. What grows in proportion is parallel to the "
            "grey diagonal.",
            memory_against_steps(memory),
        )


def _ranks(gallery: Gallery) -> Iterator[Picture]:
    run, frame = gallery.run, gallery.frame
    if min(len(run.compared), len(run.timescales)) < FEWEST or "vpt" not in run.metrics:
        return
    ranks = ranking(frame, run.compared)
    if len(ranks.learners) >= FEWEST and ranks.blocks >= FEWEST:
        yield Picture(
            "ranks",
            "Ranks and what they resolve",
            "Mean rank of each learner over the systems by valid prediction time, failed trials at the worst rank. "
            f"Bars join learners that Nemenyi's test at 5 % cannot tell apart. {ranks.statement}",
            critical_difference(ranks, gallery.styles),
        )
        pairs = paired_losses(frame, ranks.learners)
        yield Picture(
            "wins",
            "Who beats whom",
            "Share of the trials (system and seed) in which the learner of a row predicts longer than that of a "
            "column; ties count half.",
            win_matrix(shares_of_wins(pairs), len(pairs)),
        )


def _fronts(gallery: Gallery) -> Iterator[Picture]:
    run, frame = gallery.run, gallery.frame
    compared = frame.loc[frame["learner"].isin(run.compared)]
    costs = {cost: label for cost, label in COSTS.items() if cost in run.metrics}
    if len(run.compared) < FEWEST or "vpt" not in run.metrics or not costs or not compared["value"].notna().any():
        return
    yield Picture(
        "pareto",
        "Accuracy against every cost",
        "Valid prediction time against function evaluations, memory, time and size, medians over seeds: up and to the "
        "left is better. Learners on a stair are beaten by no other in both.",
        pareto_page(points(compared, "vpt", tuple(costs)), gallery.styles, costs, "VPT"),
    )
