"""The claim about optimisers: systems are its replicates, and each kind of network is judged apart."""

import numpy as np
import pandas as pd
import pytest

from bench.suites.held_out import COMPARED
from bench.suites.optimisers import suite
from results.claims.base import Effect, judged
from results.claims.literature import CLAIMS
from systems.configuration import label
from tests.support.synthetic import with_parsed_labels


def effects(ratio: float, systems: int = 6) -> dict[str, Effect]:
    """Of a run in which SOAP predicts so many times as far as Adam, give or take a tenth from system to system."""
    scatter = np.random.default_rng(0).uniform(0.9, 1.1, systems)
    frame = pd.DataFrame(
        [
            {"system": f"System{place}", "learner": label(learner), "seed": seed, "metric": "vpt", "value": value}
            for learner in suite.learners
            for place in range(systems)
            for seed in range(2)
            for value in [3.0 * (1.0 if "adam" in label(learner) else ratio * scatter[place])]
        ]
    )
    found = judged(CLAIMS, with_parsed_labels(frame), "optimisers")
    return {claim.name: effect for claim, effect in found}


@pytest.mark.parametrize(("ratio", "verdict"), [(2.0, "supported"), (0.5, "refuted"), (1.0, "inconclusive")])
def test_it_is_decided_by_the_mean_over_systems_where_its_interval_leaves_out_zero(ratio: float, verdict: str):
    found = effects(ratio)
    assert {effect.verdict for effect in found.values()} == {verdict}
    assert len(found) == len(COMPARED)
    one = found["E1 (GRU)"]
    assert one.size == pytest.approx(np.log10(ratio), abs=0.05)
    assert "6 systems" in one.unit


def test_models_that_predict_nothing_count_as_the_shortest_time():
    """Of three seeds SOAP's models predict nothing with two, and with one three times as far as Adam's."""
    learners = [learner for learner in suite.learners if label(learner).startswith("ResNet")]
    frame = pd.DataFrame(
        [
            {"system": f"System{place}", "learner": label(learner), "seed": seed, "metric": "vpt", "value": value}
            for learner in learners
            for place in range(4)
            for seed, value in enumerate(
                [1.0, 1.1, 1.0 + place / 100] if "adam" in label(learner) else [0.0, np.nan, 3.0]
            )
        ]
    )
    frame["status"] = np.where(frame["value"].isna(), "diverged", "ok")
    found = {claim.name: effect for claim, effect in judged(CLAIMS, with_parsed_labels(frame), "optimisers")}
    assert (found["E1 (ResNet)"].verdict, found["E1 (ResNet)"].seeds) == ("refuted", 3)


def test_two_systems_decide_nothing():
    assert {effect.reason for effect in effects(2.0, systems=2).values()} == {
        "not tested: measured on 2 systems, and 3 are needed"
    }
