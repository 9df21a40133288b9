"""The maps of `maps` at other parameters, where they are chaotic as well: on them `tune` finds its settings.

Settings with which tuning begins are the learners' defaults, which were chosen by hand on a flow.
"""

from dataclasses import replace

from bench.equal_time import in_equal_time
from bench.suites.held_out import RECURRENT
from bench.suites.held_out import suite as held_out
from learners import ResNet
from systems import HenonMap, IkedaMap, LogisticMap, Sampling, StandardMap

suite = replace(
    held_out,
    name="held_out_maps",
    description="Recurrent and residual networks on four maps at parameters that no comparison shows.",
    systems=(LogisticMap(r=3.9), HenonMap(a=1.2), IkedaMap(u=0.8), StandardMap(kick=7.0)),
    learners=in_equal_time((*RECURRENT, ResNet())),
    sampling=Sampling(context=8, climate_horizon=100.0),
)
