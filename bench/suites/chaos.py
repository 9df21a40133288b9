"""Four chaotic systems, one a field, and two regular controls: who forecasts, who keeps the attractor, at what cost.

Settings are the same for every system, and were found by `tune` with as many trials for each learner, on the flows of
`held_out`, none of which is shown here: `tuned_held_out` has them, `tuned_held_out_forced` those of recurrent networks
by teacher forcing. Each learner has as many updates as cost the same processor time on Lorenz, which `python -m bench
calibrate` has measured. What they were before, chosen by hand on Lorenz, is in `held_out` and `held_out_forced`;
`tuned` has both, side by side.

Rings of sites have learners of their own beside these, which know what a neighbour is and lose what the data do not
hold up: convolutions, in the time that the others take on the field. Their settings were found in the same way, on the
rings of `held_out_fields`.
"""

from typing import Any

from bench.equal_time import in_equal_time
from bench.suite import Suite
from bench.suites.held_out_fields import SECONDS
from bench.suites.tuned_held_out import suite as tuned
from bench.suites.tuned_held_out_fields import suite as tuned_on_fields
from bench.suites.tuned_held_out_forced import suite as tuned_forced
from learners import REFERENCES, IndependentTruth
from metrics import LONG_TERM, STANDARD
from systems import CubicSpiral, KuramotoSivashinsky, Lorenz, Lorenz96, Rossler, Sampling, VanDerPol

TUNED: Any = tuned.learners  # dense networks, on single steps
TUNED_FORCED: Any = tuned_forced.learners  # recurrent ones, on sequences
TUNED_CONVOLUTIONS: Any = tuned_on_fields.learners
FIELDS = in_equal_time(TUNED_CONVOLUTIONS, SECONDS, "KuramotoSivashinsky")
BY_SOAP = "trained by SOAP, with which those on single steps predict 25 to 64 % longer than by Adam in equal time"
OTHERS = (*FIELDS, *REFERENCES, IndependentTruth())

suite = Suite(
    name="chaos",
    description="Recurrent networks, neural ODEs and residual networks, tuned elsewhere, on chaotic and regular flows.",
    systems=(CubicSpiral(), VanDerPol(), Lorenz(), Rossler(), Lorenz96(sites=10), KuramotoSivashinsky()),
    learners=(*in_equal_time((*TUNED, *TUNED_FORCED)), *OTHERS),
    metrics=(*STANDARD, *LONG_TERM),
    sampling=Sampling(step=0.018112, horizon=16.0, climate_horizon=200.0),  # 0.02 time units for Lorenz
    data_seed=1,  # not one on which settings were chosen
    settings=f"{tuned.settings} of other flows (held_out, held_out_forced, held_out_fields); {BY_SOAP} (optimisers)",
    unequal=tuned.unequal,
)
