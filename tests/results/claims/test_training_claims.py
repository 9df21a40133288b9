"""The claims about optimisers and tuning: systems are their replicates, and each kind of network is judged apart."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from bench.suite import load
from bench.suites.held_out import COMPARED
from bench.suites.held_out import suite as held_out
from results.claims.base import Effect, judged
from results.claims.literature import CLAIMS
from systems.configuration import label
from tests.support.synthetic import with_parsed_labels

BY_HAND = set(map(label, held_out.learners))
NEW: dict[str, Callable[[str], bool]] = {
    "optimisers": lambda name: "adam" not in name,
    "tuned": lambda name: name not in BY_HAND,
}


def effects(suite: str, ratio: float, systems: int = 6, scatter: float = 0.1) -> dict[str, Effect]:
    """Of a run in which the new way predicts so many times as far, give or take a tenth from system to system."""
    scattered = np.random.default_rng(0).uniform(1 - scatter, 1 + scatter, systems)
    frame = pd.DataFrame(
        [
            {"system": f"System{place}", "learner": label(learner), "seed": seed, "metric": "vpt", "value": value}
            for learner in load(suite).learners
            if not learner.reference and not learner.for_rings
            for place in range(systems)
            for seed in range(2)
            for value in [3.0 * (ratio * scattered[place] if NEW[suite](label(learner)) else 1.0)]
        ]
    )
    found = judged(CLAIMS, with_parsed_labels(frame), suite)
    return {claim.name: effect for claim, effect in found}


@pytest.mark.parametrize("suite", NEW)
@pytest.mark.parametrize(("ratio", "verdict"), [(2.0, "supported"), (0.5, "refuted"), (1.0, "inconclusive")])
def test_it_is_decided_by_the_mean_over_systems_where_its_interval_leaves_out_zero(
    suite: str, ratio: float, verdict: str
):
    found = effects(suite, ratio)
    assert {effect.verdict for effect in found.values()} == {verdict}
    assert len(found) == len(COMPARED)
    one = next(effect for name, effect in found.items() if "(GRU)" in name)
    assert one.size == pytest.approx(np.log10(ratio), abs=0.05)
    assert "6 systems" in one.unit


def test_tuning_that_changes_next_to_nothing_is_no_difference():
    assert {effect.verdict for effect in effects("tuned", 1.0, scatter=0.02).values()} == {"no difference"}


def test_two_systems_decide_nothing():
    assert {effect.reason for effect in effects("optimisers", 2.0, systems=2).values()} == {
        "not tested: measured on 2 systems, and 3 are needed"
    }
