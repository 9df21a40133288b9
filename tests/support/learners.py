"""Every exported learner, for the tests of what all of them promise."""

from dataclasses import replace
from typing import Any

import learners
from learners import Learner, Mechanistic, NeuralDDE, Reservoir, WindowedRNN
from learners.delayed import Delayed
from learners.equations.published_fit import PublishedFit
from learners.fewer_trajectories import Fewer


def exported_learners() -> list[Learner]:
    """Each exported learner, and each kind of recurrent cell, with hardly any training."""
    exported = (getattr(learners, name) for name in learners.__all__)
    concrete = [
        kind for kind in exported if isinstance(kind, type) and issubclass(kind, Learner) and kind is not Learner
    ]
    return [short(kind()) for kind in concrete] + [short(WindowedRNN(cell="rnn")), short(WindowedRNN(cell="lstm"))]


def short(learner: Any) -> Any:
    """The same settings, with hardly any training, and no long lookahead."""
    if isinstance(learner, (Delayed, Fewer)):
        return replace(learner, learner=short(learner.learner))
    changes: dict[str, Any] = {}
    if training := getattr(learner, "training", None):
        changes["training"] = replace(training, updates=6, batch=min(training.batch, 16), validations=3)
    if lookahead := getattr(learner, "lookahead", 0):
        changes["lookahead"] = min(lookahead, 8)
    if isinstance(learner, Reservoir):
        changes["size"] = 40
    if isinstance(learner, NeuralDDE):
        changes["delay"] = 3
    if isinstance(learner, PublishedFit):
        changes["recipes"] = tuple(replace(recipe, epochs=2) for recipe in learner.recipes)
    if isinstance(learner, Mechanistic):
        changes["iterations"] = 5
    return replace(learner, **changes)


def learner_name(learner: Learner) -> str:
    """The class, and the recurrent cell if there is one."""
    return type(learner).__name__ + getattr(learner, "cell", "")
