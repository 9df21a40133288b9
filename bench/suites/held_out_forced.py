"""The six flows of `held_out`: on them `tune` finds the settings of recurrent networks by teacher forcing.

Settings were chosen by hand on Lorenz (data seed 0): with them tuning begins.
"""

from dataclasses import replace

from bench.equal_time import in_equal_time
from bench.suites.held_out import suite as held_out
from learners import PLRNN, StatefulRNN

suite = replace(
    held_out,
    name="held_out_forced",
    description="Recurrent networks by teacher forcing on sequences, on six flows that no comparison shows.",
    learners=in_equal_time((PLRNN(), StatefulRNN())),
)
