"""Three rings of sites that no comparison shows: on them `tune` finds the settings of dense networks of fields.

Settings were chosen by hand on the field at length 22 (data seed 0): with them tuning begins.
"""

from dataclasses import replace

from bench.equal_time import in_equal_time
from bench.suites.held_out_fields import SECONDS
from bench.suites.held_out_fields import suite as held_out_fields
from learners import NeuralODE, ResNet, WindowedRNN

DENSE = (
    WindowedRNN(hidden=256),
    NeuralODE(width=256, damping=0.1, noise=0.01),
    ResNet(blocks=1, width=256, noise=0.01),
)

suite = replace(
    held_out_fields,
    name="held_out_dense",
    description="Dense recurrent, continuous and residual networks, on three rings of sites that no comparison shows.",
    learners=in_equal_time(DENSE, SECONDS, "KuramotoSivashinsky"),
    settings="chosen by hand on another ring",
)
