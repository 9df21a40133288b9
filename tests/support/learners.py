"""Every exported learner, for the tests of what all of them promise."""

from dataclasses import replace

import learners
from learners import Learner, Reservoir, WindowedRNN


def exported_learners() -> list[Learner]:
    """Each exported learner, and each kind of recurrent cell, with hardly any training."""
    exported = (getattr(learners, name) for name in learners.__all__)
    concrete = [
        kind for kind in exported if isinstance(kind, type) and issubclass(kind, Learner) and kind is not Learner
    ]
    return [_short(kind()) for kind in concrete] + [_short(WindowedRNN(cell="rnn")), _short(WindowedRNN(cell="lstm"))]


def _short(learner: Learner) -> Learner:
    training = getattr(learner, "training", None)
    if isinstance(learner, Reservoir):
        return replace(learner, size=40)
    return replace(learner, training=replace(training, updates=6, batch=16, validations=2)) if training else learner


def learner_name(learner: Learner) -> str:
    """The class, and the recurrent cell if there is one."""
    return type(learner).__name__ + getattr(learner, "cell", "")
