"""Claims about roughness, attractors, lookahead and batches: what supports and what refutes each of them."""

import pandas as pd
import pytest

from results.claims.base import judged
from results.claims.literature import CLAIMS, lookaheads
from results.store.manifest import parse_label
from tests.support.synthetic import with_parsed_labels

FULL = "training.updates=2000,training.batch=1024"
NEAR, FAR = f"NeuralODE[{FULL}]", f"NeuralODE[lookahead=20,{FULL}]"
SMALL = "NeuralODE[training.updates=2000,training.batch=32]"
HOLDS = {
    ("CubicSpiral", "WindowedRNN[cell=rnn]", "roughness"): 5.0,
    ("CubicSpiral", "NeuralODE", "roughness"): 1.1,
    ("Lorenz", "WindowedRNN[cell=rnn]", "roughness"): 8.0,
    ("Lorenz", "NeuralODE", "roughness"): 1.0,
    ("Lorenz", "WindowedRNN[cell=rnn]", "fixed_point_fraction"): 0.5,
    ("Lorenz", "WindowedRNN[cell=rnn]", "limit_cycle_fraction"): 0.4,
    ("Lorenz", "NeuralODE", "chaos_fraction"): 1.0,
    ("Lorenz", NEAR, "vpt"): 5.0,
    ("Lorenz", FAR, "vpt"): 3.0,
    ("Lorenz", NEAR, "d_stsp"): 0.5,
    ("Lorenz", SMALL, "d_stsp"): 0.9,
    ("CubicSpiral", NEAR, "nrmse"): 0.01,
    ("CubicSpiral", FAR, "nrmse"): 0.02,
}


def verdicts(suite: str, **changes: float) -> dict[str, str]:
    """Of a run with these values, which scatter by 1 % over three seeds; changes are named by learner and metric."""
    values = HOLDS | {key: changes[key[2]] for key in HOLDS if key[2] in changes and key[1] in (FAR, "NeuralODE", NEAR)}
    frame = pd.DataFrame(
        [
            {"system": system, "learner": learner, "seed": seed, "metric": metric, "value": value * (1 + seed / 100)}
            for (system, learner, metric), value in values.items()
            for seed in range(3)
        ]
    )
    return {claim.name: found.verdict for claim, found in judged(CLAIMS, with_parsed_labels(frame), suite)}


def test_claims_that_hold_are_supported():
    assert verdicts("chaos") == {"C1": "supported", "C2": "supported"}
    assert verdicts("intuitions") == {"C3": "supported", "C4": "supported", "C5": "supported"}


@pytest.mark.parametrize(
    ("suite", "claim", "changes"),
    [
        ("chaos", "C1", {"roughness": 20.0}),
        ("chaos", "C2", {"chaos_fraction": 0.1}),
        ("intuitions", "C4", {"d_stsp": 3.0}),
        ("intuitions", "C5", {"nrmse": 0.5}),
    ],
)
def test_claims_that_do_not_hold_are_refuted(suite: str, claim: str, changes: dict[str, float]):
    assert verdicts(suite, **changes)[claim] == "refuted"


def test_what_makes_no_difference_supports_nothing():
    assert verdicts("intuitions", vpt=5.0)["C3"] == "refuted"


def test_lookaheads_are_read_from_settings_and_other_trainings_are_left_out():
    other = NEAR.replace("]", ",training.optimiser=levenberg-marquardt]")
    learners = [FAR, SMALL, NEAR, other, "ResNet", "WindowedRNN[cell=rnn]"]
    assert lookaheads(with_parsed_labels(pd.DataFrame({"system": "Lorenz", "learner": learners}))) == {1: NEAR, 20: FAR}
    assert parse_label(FAR).settings == {"lookahead": 20, "training.updates": 2000, "training.batch": 1024}
