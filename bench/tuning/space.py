"""Search spaces: which settings of a learner are tuned, and among which values.

Training is as long as the budget says, and in batches of the same size: neither the number of updates nor what an
update sees is tuned, so that no learner buys accuracy with computing. A learner of the user's own declares its settings
in an attribute of its class, `search_space = {"width": (32, 64), "training.learning_rate": (1e-3, 1e-2)}`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from bench.errors import UserError
from learners import (
    DMD,
    NVAR,
    PLRNN,
    HybridODE,
    LatentODE,
    LatentRNN,
    Learner,
    NeuralDDE,
    NeuralODE,
    NeuralSDE,
    ODELayer,
    Reservoir,
    ResNet,
    SINDy,
    StatefulRNN,
    Transformer,
    WindowedRNN,
)
from learners.adaptive import AdaptiveLearner
from systems.configuration import KIND

Space = Mapping[str, Sequence[Any]]

RATE: Space = {"training.learning_rate": (1e-3, 3e-3, 1e-2, 3e-2)}
NETWORK: Space = {"width": (32, 64, 128), "depth": (1, 2, 3), "activation": ("silu", "tanh", "gelu"), **RATE}
RING: Space = {"patch": (1, 2), "kernel": (3, 5, 9), "damping": (0.0, 0.03, 0.1, 0.3)}  # of convolutions
FORCING: Space = {"interval": (1, 4, 8, 16), "forcing": (0.1, 0.3, 1.0)}
OPTIMISER: Space = {"training.optimiser": ("adam", "soap")}  # of learners for which none was found to be the better
LATENT: Space = {"latent": (4, 6, 10), "hidden": (32, 64, 128), "width": (32, 64, 128), **RATE, **OPTIMISER}

SPACES: Mapping[type[Learner], Space] = {
    NeuralODE: {"lookahead": (1, 2, 4, 8), "noise": (0.0, 0.001, 0.01), **NETWORK},
    NeuralDDE: {"lookahead": (1, 2, 4, 8), **NETWORK, **OPTIMISER},
    NeuralSDE: {"lookahead": (1, 2, 4), "paths": (2, 4, 8), **NETWORK, **OPTIMISER},
    AdaptiveLearner: {"lookahead": (1, 2, 4), "tolerance": (1e-3, 1e-4, 1e-5), **NETWORK},
    HybridODE: {"lookahead": (1, 2, 4, 8), **NETWORK},
    ODELayer: {"channels": (4, 8, 16), "steps": (2, 4, 8), **NETWORK, **OPTIMISER},
    ResNet: {"blocks": (1, 2, 4), "noise": (0.0, 0.001, 0.01), **NETWORK},
    WindowedRNN: {"window": (2, 4, 8, 16), "hidden": (32, 64, 128), **RATE},
    PLRNN: {"hidden": (0, 8, 16), "nonlinear": (16, 64, 128), **FORCING, **RATE, **OPTIMISER},
    StatefulRNN: {"hidden": (32, 64, 128), **FORCING, **RATE, **OPTIMISER},
    Transformer: {
        "window": (2, 4, 8, 16),
        "width": (16, 32, 64),
        "heads": (1, 2, 4),
        "blocks": (1, 2, 3),
        **RATE,
        **OPTIMISER,
    },
    LatentODE: {"lookahead": (10, 20, 30), **LATENT},
    LatentRNN: {"lookahead": (10, 20, 30), **LATENT},
    Reservoir: {
        "size": (200, 400, 800),
        "radius": (0.1, 0.3, 0.6, 0.9, 1.2),
        "leak": (0.3, 0.6, 1.0),
        "input_scale": (0.03, 0.1, 0.3, 1.0),
        "bias_scale": (0.1, 0.5, 1.0),
    },
    NVAR: {"lags": (1, 2, 3, 4), "stride": (1, 2, 4), "degree": (1, 2, 3)},
    DMD: {"lags": (1, 2, 4, 8, 16), "stride": (1, 2, 4)},
    SINDy: {"degree": (1, 2, 3, 4, 5), "threshold": (0.01, 0.02, 0.05, 0.1, 0.2)},
}


def search_space(learner: Learner, suite: Iterable[Learner] = ()) -> dict[str, list[Any]]:
    """The values of each setting that is tuned, the learner's own first; those of nested learners under dotted names.

    What tells it apart from others of its class and kind of network in its suite is not tuned. Raises UserError where
    a learner declares a setting that it does not have.
    """
    space = _declared(learner)
    alike = [one for one in suite if type(one) is type(learner) and _kind(one) == _kind(learner)]
    tuned = {}
    for name, values in space.items():
        own = attrgetter(name)(learner)
        if all(attrgetter(name)(one) == own for one in alike if name in _declared(one)):
            tuned[name] = [own, *(value for value in values if value != own)]
    return tuned


def _kind(learner: Learner) -> str:
    return getattr(learner, KIND, "")


def _declared(learner: Learner) -> Space:
    found = next((SPACES[kind] for kind in type(learner).__mro__ if kind in SPACES), {})
    space = dict(getattr(type(learner), "search_space", found))
    for name in space:
        try:
            attrgetter(name)(learner)
        except AttributeError as error:
            kind = type(learner).__name__
            raise UserError(
                f"{kind}.search_space has {name!r}, which {kind} does not: name one of its fields"
            ) from error
    if found and _kind(learner) == "convolution":
        space |= RING
    for field in fields(learner):
        if isinstance(inner := getattr(learner, field.name), Learner):
            space |= {f"{field.name}.{name}": values for name, values in _declared(inner).items()}
    return space
