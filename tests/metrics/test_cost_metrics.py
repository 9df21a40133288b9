"""Cost metrics: what the meters read is what the tables show."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import metrics
from metrics import Cost, Evidence, Metric, Undefined

COST = Cost(
    parameters=101,
    updates=102,
    nfe_forward=4.5,
    nfe_backward=8.25,
    nfe_forecast=55.5,
    fit_seconds=1.5,
    forecast_seconds=0.75,
    saved_bytes=2**20,
    peak_bytes=2**30,
    kept_bytes=2.0**19,
    flops_update=2.0e9,
    flops_forecast=3.0e6,
    samples=6.5e4,
    energy=12.5,
)
NOTHING = np.zeros((1, 3, 1))
EVIDENCE = Evidence(0.1, np.ones(1), NOTHING, NOTHING, NOTHING, NOTHING, COST)
UNITS = {
    "nfe_forward": "evaluations",
    "nfe_backward": "evaluations",
    "nfe_forecast": "evaluations / timescale",
    "parameters": "",
    "updates": "",
    "samples": "",
    "fit_seconds": "s",
    "forecast_seconds": "s",
    "saved_bytes": "B",
    "kept_bytes": "B",
    "peak_bytes": "B",
    "flops_update": "FLOP",
    "flops_forecast": "FLOP / timescale",
    "energy": "J",
}


@pytest.mark.parametrize("name", UNITS)
def test_a_cost_is_read_as_it_was_metered_and_less_is_better(name: str):
    metric: Metric = getattr(metrics, name)
    value = metric.measure(EVIDENCE)
    assert value == getattr(COST, name)
    assert isinstance(value, float)
    assert (metric.name, metric.unit, metric.better) == (name, UNITS[name], "lower")


@pytest.mark.parametrize(
    "name",
    [
        "samples",
        "nfe_forward",
        "nfe_backward",
        "fit_seconds",
        "saved_bytes",
        "kept_bytes",
        "peak_bytes",
        "flops_update",
    ],
)
def test_costs_that_nobody_counted_are_undefined_and_not_none(name: str):
    silent = replace(EVIDENCE, cost=replace(COST, **{name: np.nan}))
    with pytest.raises(Undefined, match="nobody counted it"):
        getattr(metrics, name).measure(silent)


def test_energy_that_no_device_tells_is_undefined():
    silent = Evidence(0.1, np.ones(1), NOTHING, NOTHING, NOTHING, NOTHING, replace(COST, energy=np.nan))
    with pytest.raises(Undefined, match="GPU without NVML"):
        metrics.energy.measure(silent)


@pytest.mark.parametrize("metric", metrics.STANDARD, ids=lambda metric: metric.name)
def test_a_metric_can_be_sent_to_another_process(metric: Metric):
    assert pickle.loads(pickle.dumps(metric)) == metric
