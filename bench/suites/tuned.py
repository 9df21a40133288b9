"""What does tuning change? The learners of `zoo`, and the same with settings that were chosen by hand, side by side.

Settings by hand are those of `held_out`, `held_out_forced` and `held_out_fields`, with which tuning began. Both have as
many updates as cost the same time.
"""

from dataclasses import replace

from bench.suites.held_out import suite as held_out
from bench.suites.held_out_fields import suite as held_out_fields
from bench.suites.held_out_forced import suite as held_out_forced
from bench.suites.zoo import suite as zoo

BY_HAND = (*held_out.learners, *held_out_forced.learners, *held_out_fields.learners)

suite = replace(
    zoo,
    name="tuned",
    description="Settings that tune found on other flows, beside those chosen by hand, on the 33 flows of zoo.",
    learners=(*zoo.learners, *(each for each in BY_HAND if each not in zoo.learners)),
    settings=f"{zoo.settings}; beside them settings by hand",
)
