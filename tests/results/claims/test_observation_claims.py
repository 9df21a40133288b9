"""Claims about irregular times: what makes each of them true, false or open."""

import numpy as np
import pandas as pd
import pytest

from results.claims.base import Effect, judged, measured, trials_of
from results.claims.literature import CLAIMS, at_irregular_times
from tests.support.synthetic import with_parsed_labels

SYSTEMS = ("VanDerPol", "Lorenz[rho=35.0]")
FIELD, TOLD, UNTOLD = "NeuralODE[training.updates=9]", "WindowedRNN[times=gaps]", "WindowedRNN[times=ignored]"


def frame(seeds: int = 3, scatter: float = 0.01, settings: str = "", **values: tuple[float, float]) -> pd.DataFrame:
    """Errors at regular and at irregular times of each learner, with a little scatter over systems and seeds."""
    names = {"field": FIELD, "told": TOLD, "untold": UNTOLD, "delayed": f"Delayed[learner={FIELD}]"}
    found = pd.DataFrame(
        [
            {"system": label, "learner": names[name], "seed": seed, "metric": "nrmse"}
            | {"value": value * 10 ** (scatter * (seed + place - seeds / 2) * (label != system))}
            for name, pair in values.items()
            for place, system in enumerate(SYSTEMS)
            for seed in range(seeds)
            for label, value in zip((system, f"Irregular[system={system}{settings}]"), pair, strict=True)
        ]
    )
    return with_parsed_labels(found)


def verdict(name: str, results: pd.DataFrame) -> Effect:
    return next(effect for claim, effect in judged(CLAIMS, results, "irregular") if claim.name == name)


@pytest.mark.parametrize(
    ("irregular", "scatter", "expected"),
    [(0.1, 0.01, "supported"), (0.3, 0.01, "refuted"), (0.12, 0.2, "inconclusive")],
)
def test_irregular_times_cost_nothing_if_the_error_stays(irregular: float, scatter: float, expected: str):
    assert (
        verdict("B3 (dropped)", frame(scatter=scatter, field=(0.1, irregular), delayed=(0.1, 9.0))).verdict == expected
    )


@pytest.mark.parametrize(
    ("told", "scatter", "expected"), [(0.9, 0.01, "supported"), (2.0, 0.01, "refuted"), (1.1, 0.3, "inconclusive")]
)
def test_a_window_uses_the_times_if_it_gains_by_being_told(told: float, scatter: float, expected: str):
    results = pd.concat([frame(untold=(0.1, 1.0)), frame(scatter=scatter, told=(0.1, told))])
    results.loc[results["learner"] == UNTOLD, "value"] = 1.0
    assert verdict("C6", results.assign(metric="vpt")).verdict == expected


def test_the_effect_is_the_mean_of_the_ratios_in_decades():
    found = verdict("B3 (dropped)", frame(scatter=0.0, field=(0.1, 1.0)))
    assert (found.size, found.low, found.high) == pytest.approx((1.0, 1.0, 1.0))


@pytest.mark.parametrize("name", ["C6"])
@pytest.mark.parametrize(
    "results", [frame(field=(0.1, np.nan), told=(np.nan, np.nan)), frame(field=(0.1, 0.1)).iloc[:1]]
)
def test_nothing_is_said_where_nothing_was_measured(name: str, results: pd.DataFrame):
    assert "two are needed" in verdict(name, results).reason


def test_each_system_is_judged_apart_and_jitter_apart_from_what_is_missing():
    results = frame(field=(0.1, 0.1))
    worse = results["system"] == "Irregular[system=Lorenz[rho=35.0]]"
    results.loc[worse, "value"] *= 10
    assert verdict("B3 (dropped)", results).verdict == "refuted"
    assert verdict("B3 (jittered)", results).reason == "not tested: nothing was measured"
    jittered = frame(settings=",dropped=0.0", field=(0.1, 0.1))
    assert verdict("B3 (jittered)", jittered).verdict == "supported"
    assert verdict("B3 (dropped)", jittered).reason == "not tested: nothing was measured"


def test_systems_are_paired_by_their_own_label():
    results = frame(seeds=1, scatter=0.0, field=(0.1, 0.2), delayed=(9.0, 9.0))
    fields = trials_of(results, "NeuralODE")
    regular = fields.loc[fields["system_class"] != "Irregular"]
    for trials, value in ((at_irregular_times(fields), 0.2), (regular, 0.1)):
        assert measured(trials, "nrmse").to_dict() == {(system, 0): pytest.approx(value) for system in SYSTEMS}
