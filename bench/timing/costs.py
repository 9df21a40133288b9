"""What an update costs in processor time, every learner in turns with the others."""

from collections.abc import Callable, Sequence
from statistics import median
from time import process_time
from typing import Any

from bench.equal_time import with_training
from bench.timing import stopwatch
from learners import Budget, Learner
from systems import Dataset

SEEDS = 3  # that are trained together
SHORT = 60  # updates of the shorter of two fits, between whose times the difference is that of updates alone
MORE = (30, 300)  # updates of the longer fit beyond these, at least and at most
ENOUGH = 1.0  # seconds that they take, where neither bound is met
UNTOLD = "updates too short to be told from what else the machine does: give more rounds (--rounds)"


def milliseconds(
    learners: Sequence[Learner],
    data: Dataset,
    rounds: int = 5,
    notify: Callable[[str], None] = print,
    known_as: Callable[[Learner], str] = str,
) -> dict[str, float | str]:
    """Processor time for an update of one of the seeds that are trained together, by one thread; medians.

    Args:
        learners: each is trained by updates.
        data: to train on.
        rounds: in each of which every learner has its turn, after one that does not count.
        notify: is told what is measured.
        known_as: the name of a learner.

    Returns:
        Milliseconds, or the reason why there are none, for each name.
    """
    found: dict[str, list[float]] = {known_as(learner): [] for learner in learners}
    reasons: dict[str, str] = {}
    more: dict[str, int] = {}
    with stopwatch.threads(1):
        for turn in range(rounds + 1):
            for learner in learners:
                name = known_as(learner)
                if name in reasons:
                    continue
                notify(f"{name}, round {turn} of {rounds}" if turn else f"{name}, warming up")
                try:
                    short = _fit(learner, data, SHORT)
                    if not turn:
                        few = round(SHORT * ENOUGH / max(short, 1e-9))
                        more[name] = min(max(few, MORE[0]), MORE[1])
                        continue
                    long = _fit(learner, data, SHORT + more[name])
                except ValueError as reason:
                    reasons[name] = str(reason)
                    continue
                found[name].append(1e3 * (long - short) / more[name] / SEEDS)
    costs = {name: median(times) for name, times in found.items() if times}
    reasons |= {name: UNTOLD for name, cost in costs.items() if cost <= 0}
    return {name: reasons.get(name) or costs[name] for name in found}


def _fit(learner: Any, data: Dataset, updates: int) -> float:
    """Seconds of processor time of a fit."""
    brief = with_training(learner, updates=updates, validations=1)
    begun = process_time()
    brief.fit_replicas(data, Budget(), range(SEEDS))
    return process_time() - begun
