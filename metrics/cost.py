"""What a trial cost: function evaluations, operations, learned numbers, seconds, bytes and joules."""

from math import isnan

from metrics.base import Evidence, Metric, Undefined


def _forward_evaluations(evidence: Evidence) -> float:
    """Evaluations of the learned map or field in the forward pass of one update, mean over training."""
    return _counted(evidence.cost.nfe_forward)


def _backward_evaluations(evidence: Evidence) -> float:
    """Evaluations of the learned map or field in the backward pass of one update, mean over training."""
    return _counted(evidence.cost.nfe_backward)


def _forecast_evaluations(evidence: Evidence) -> float:
    """Evaluations of the learned map or field that forecasting one timescale takes."""
    return evidence.cost.nfe_forecast


def _updates(evidence: Evidence) -> float:
    """Updates of the weights that fitting one seed took."""
    return float(evidence.cost.updates)


def _samples(evidence: Evidence) -> float:
    """Samples (of images: images) that the updates have seen: updates times batch times length of a segment."""
    return _counted(evidence.cost.samples)


def _parameters(evidence: Evidence) -> float:
    """Number of learned numbers."""
    return float(evidence.cost.parameters)


def _fit_seconds(evidence: Evidence) -> float:
    """Time that fitting one seed took; a stacked fit's time is shared equally."""
    return _counted(evidence.cost.fit_seconds)


def _forecast_seconds(evidence: Evidence) -> float:
    """Time that forecasting all the test states took."""
    return evidence.cost.forecast_seconds


def _saved_bytes(evidence: Evidence) -> float:
    """Memory that automatic differentiation would keep between the passes of an update: the same on every machine."""
    return _counted(evidence.cost.saved_bytes)


def _kept_bytes(evidence: Evidence) -> float:
    """Memory that is kept between the passes of an update: less than saved_bytes where one is written by hand."""
    return _counted(evidence.cost.kept_bytes)


def _peak_bytes(evidence: Evidence) -> float:
    """Highest memory of the process (GPU: of the allocator) while one seed was fitted; a stack's is shared equally."""
    return _counted(evidence.cost.peak_bytes)


def _update_operations(evidence: Evidence) -> float:
    """Floating-point operations of one update, both passes, in matrix products and convolutions; mean over training."""
    return _counted(evidence.cost.flops_update)


def _forecast_operations(evidence: Evidence) -> float:
    """Floating-point operations, in matrix products and convolutions, that forecasting one timescale takes."""
    return evidence.cost.flops_forecast


def _energy(evidence: Evidence) -> float:
    """Energy that the GPU took while one seed was fitted; a stacked fit's is shared equally. None is told by a CPU."""
    if isnan(evidence.cost.energy):
        raise Undefined("no energy is told by a CPU, or by a GPU without NVML")
    return evidence.cost.energy


def _counted(value: float) -> float:
    """A cost, unless nobody counted it: then it is missing, and not 0."""
    if isnan(value):
        raise Undefined("nobody counted it")
    return float(value)


nfe_forward = Metric("nfe_forward", "evaluations", "lower", _forward_evaluations, group="cost")
nfe_backward = Metric("nfe_backward", "evaluations", "lower", _backward_evaluations, group="cost")
nfe_forecast = Metric("nfe_forecast", "evaluations / timescale", "lower", _forecast_evaluations, group="cost")
updates = Metric("updates", "", "lower", _updates, group="cost")
samples = Metric("samples", "", "lower", _samples, group="cost")
parameters = Metric("parameters", "", "lower", _parameters, group="cost")
fit_seconds = Metric("fit_seconds", "s", "lower", _fit_seconds, group="cost")
forecast_seconds = Metric("forecast_seconds", "s", "lower", _forecast_seconds, group="cost")
saved_bytes = Metric("saved_bytes", "B", "lower", _saved_bytes, group="cost")
kept_bytes = Metric("kept_bytes", "B", "lower", _kept_bytes, group="cost")
peak_bytes = Metric("peak_bytes", "B", "lower", _peak_bytes, group="cost")
flops_update = Metric("flops_update", "FLOP", "lower", _update_operations, group="cost")
flops_forecast = Metric("flops_forecast", "FLOP / timescale", "lower", _forecast_operations, group="cost")
energy = Metric("energy", "J", "lower", _energy, group="cost")
