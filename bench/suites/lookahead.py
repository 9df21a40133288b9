"""On a chaotic system, how far ahead should a neural ODE look as it is trained? One trajectory of Lorenz.

After "Deep learning for dynamics: the intuitions": the network and the trajectory of `intuitions`, lookaheads of up to
seven Lyapunov times. Settings marked as published are the write-up's at a constant rate, but for the batch: 64 segments
in an update, since all of them with the longest lookahead would take hours. Beside them stand our own, with clipped
gradients, a cycle of the rate and standardised states.
"""

from dataclasses import replace

from bench.suites.intuitions import FIELD, STEADY
from bench.suites.intuitions import suite as intuitions
from learners import REFERENCES, NeuralODE, Training

LOOKAHEADS = (1, 5, 20, 100, 300, 800)
CLIPPED = Training(updates=2_000, batch=64)
PUBLISHED = tuple(replace(FIELD, lookahead=far, training=replace(STEADY, batch=64)) for far in LOOKAHEADS)

suite = replace(
    intuitions,
    name="lookahead",
    description="Lookaheads of up to seven Lyapunov times on one trajectory of Lorenz, as published and as we do.",
    learners=(*PUBLISHED, *(NeuralODE(lookahead=far, training=CLIPPED) for far in LOOKAHEADS[:4]), *REFERENCES),
    published=PUBLISHED,
    unequal="",
)
