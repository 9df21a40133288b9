"""Claims about known, half-known and unknown equations: what makes each of them true, false or open."""

import pandas as pd
import pytest

from results.claims.base import judged
from results.claims.literature import CLAIMS, given
from tests.support.synthetic import with_parsed_labels

SEEDS = range(3)


def frame(**values: float) -> pd.DataFrame:
    """Results of the hybrid suite: `metric__Model__trajectories=value`, with a little scatter over the seeds."""
    found = []
    for name, value in values.items():
        metric, model, size = name.split("__")
        learner = f"Fewer[learner={model},trajectories={size}]" if size != "0" else model
        for system in ("LotkaVolterra", "Lorenz"):
            for seed in SEEDS:
                trial = {"system": system, "learner": learner, "seed": seed, "metric": metric, "status": "ok"}
                found.append(trial | {"value": value * (1 + 0.01 * seed), "unit": "", "better": "lower", "reason": ""})
    return with_parsed_labels(pd.DataFrame(found))


def verdict(name: str, results: pd.DataFrame) -> str:
    (claim,) = [claim for claim in CLAIMS if claim.name == name]
    ((_, effect),) = judged([claim], results, claim.suite)
    return effect.verdict


@pytest.mark.parametrize(("error", "expected"), [(0.01, "supported"), (0.2, "refuted")])
def test_parameters_are_recovered_within_five_per_cent(error: float, expected: str):
    assert verdict("A1 (ours)", frame(parameter_error__Mechanistic__0=error)) == expected


def test_nothing_is_said_where_nothing_was_fitted():
    assert verdict("A1 (ours)", frame(parameter_error__NeuralODE__0=0.1)) == "inconclusive"


@pytest.mark.parametrize(("neural", "expected"), [(0.3, "supported"), (0.1, "refuted")])
def test_a_neural_right_hand_side_needs_more_data_if_sixteen_trajectories_do_not_reach_one(
    neural: float, expected: str
):
    results = {"nrmse__NeuralODE__16": neural, "nrmse__Mechanistic__1": 0.2}
    costs = {"fit_seconds__NeuralODE__16": 9.0, "fit_seconds__Mechanistic__1": 1.0}
    assert verdict("A2 (ours)", frame(**results, **costs)) == expected


@pytest.mark.parametrize(("time", "expected"), [(5.0, "supported"), (1.0, "refuted")])
def test_extrapolation_is_measured_against_the_length_of_the_training_data(time: float, expected: str):
    assert verdict("A3 (ours)", frame(vpt__NeuralODE__16=time)) == expected


@pytest.mark.parametrize(("neural", "expected"), [(0.3, "supported"), (0.1, "refuted")])
def test_an_author_s_network_is_held_against_the_known_form_on_the_same_data_and_against_its_window(
    neural: float, expected: str
):
    results = frame(nrmse__NeuralODE__0=neural, nrmse__Mechanistic__0=0.2, vpt__NeuralODE__0=20 * neural)
    costs = frame(fit_seconds__NeuralODE__0=9.0, fit_seconds__Mechanistic__0=1.0)
    found = pd.concat([results, costs], ignore_index=True)
    ours = found["learner"] == "NeuralODE"
    assert verdict("A2", found) == "inconclusive"  # ours is no network of the author's
    found.loc[ours, "learner_settings"] = [{"scaled": False}] * sum(ours)
    assert (verdict("A2", found), verdict("A3", found)) == (expected, expected)


@pytest.mark.parametrize(("error", "expected"), [(0.01, "supported"), (0.2, "refuted")])
def test_the_published_fit_is_judged_by_itself(error: float, expected: str):
    results = frame(parameter_error__PublishedFit__0=error, parameter_error__Mechanistic__0=0.04)
    assert verdict("A1", results) == expected


@pytest.mark.parametrize(("hybrid", "expected"), [(0.1, "supported"), (0.4, "refuted")])
def test_a_hybrid_is_compared_with_a_network_that_has_twice_its_data(hybrid: float, expected: str):
    results = {f"nrmse__HybridODE__{n}": hybrid for n in (1, 2, 4, 8)}
    assert verdict("B1", frame(**results, **{f"nrmse__NeuralODE__{n}": 0.2 for n in (2, 4, 8, 16)})) == expected


@pytest.mark.parametrize(("neural", "expected"), [(0.1, "supported"), (0.9, "refuted")])
def test_new_initial_states_are_reached_if_the_error_is_half_that_of_persistence(neural: float, expected: str):
    assert verdict("B2 (ours)", frame(nrmse__NeuralODE__16=neural, nrmse__Persistence__0=1.0)) == expected


def test_each_system_has_its_own_verdict_on_new_initial_states():
    results = frame(nrmse__NeuralODE__16=0.1, nrmse__Persistence__0=1.0)
    neural_on_lorenz = (results["system"] == "Lorenz") & (results["learner"] != "Persistence")
    results.loc[neural_on_lorenz, "value"] *= 9
    (claim,) = [claim for claim in CLAIMS if claim.name == "B2 (ours)"]
    ((_, effect),) = judged([claim], results, "hybrid")
    assert [(part.unit.split()[-1], part.verdict) for part in effect.parts] == [
        ("Lorenz", "refuted"),
        ("LotkaVolterra", "supported"),
    ]


@pytest.mark.parametrize(("error", "expected"), [(0.05, "supported"), (0.2, "refuted")])
def test_the_author_s_third_powers_are_judged_in_the_author_s_solver(error: float, expected: str):
    published, ours = frame(nrmse__NeuralODE__0=error), frame(nrmse__NeuralODE__0=1.0)
    for found, solver in ((published, "dopri5"), (ours, "rk4")):
        found["learner"] += f"[solver={solver}]"
        found["learner_settings"] = [{"inputs": "cubic", "scaled": False, "solver": solver}] * len(found)
    assert verdict("B2", pd.concat([published, ours], ignore_index=True)) == expected
    assert verdict("B2", ours) == "inconclusive"


@pytest.mark.parametrize(("ode", "expected"), [(0.1, "supported"), (0.4, "refuted")])
def test_the_latent_ode_is_compared_with_the_latent_rnn(ode: float, expected: str):
    assert verdict("D7", frame(nrmse__LatentODE__0=ode, nrmse__LatentRNN__0=0.2)) == expected


def test_models_are_told_apart_by_their_number_of_trajectories():
    results = frame(nrmse__NeuralODE__1=0.1, nrmse__NeuralODE__16=0.2)
    assert given(results, "nrmse", "NeuralODE", 1).max() < 0.11
    assert given(results, "nrmse", "Neural", 1).empty
