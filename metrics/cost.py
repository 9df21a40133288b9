"""What a trial cost: function evaluations, learned numbers, seconds and bytes."""

from metrics.base import Evidence, Metric


def _forward_evaluations(evidence: Evidence) -> float:
    """Evaluations of the learned map or field in the forward pass of one update, mean over training."""
    return evidence.cost.nfe_forward


def _backward_evaluations(evidence: Evidence) -> float:
    """Evaluations of the learned map or field in the backward pass of one update, mean over training."""
    return evidence.cost.nfe_backward


def _forecast_evaluations(evidence: Evidence) -> float:
    """Evaluations of the learned map or field that forecasting one timescale takes."""
    return evidence.cost.nfe_forecast


def _parameters(evidence: Evidence) -> float:
    """Number of learned numbers."""
    return float(evidence.cost.parameters)


def _fit_seconds(evidence: Evidence) -> float:
    """Time that fitting one seed took; a stacked fit's time is shared equally."""
    return evidence.cost.fit_seconds


def _forecast_seconds(evidence: Evidence) -> float:
    """Time that forecasting all the test states took."""
    return evidence.cost.forecast_seconds


def _saved_bytes(evidence: Evidence) -> float:
    """Memory that automatic differentiation keeps between the two passes of one update: the same on every machine."""
    return float(evidence.cost.saved_bytes)


def _peak_bytes(evidence: Evidence) -> float:
    """Highest memory in use while the cell was fitted and measured."""
    return float(evidence.cost.peak_bytes)


nfe_forward = Metric("nfe_forward", "evaluations", "lower", _forward_evaluations)
nfe_backward = Metric("nfe_backward", "evaluations", "lower", _backward_evaluations)
nfe_forecast = Metric("nfe_forecast", "evaluations / timescale", "lower", _forecast_evaluations)
parameters = Metric("parameters", "", "lower", _parameters)
fit_seconds = Metric("fit_seconds", "s", "lower", _fit_seconds)
forecast_seconds = Metric("forecast_seconds", "s", "lower", _forecast_seconds)
saved_bytes = Metric("saved_bytes", "B", "lower", _saved_bytes)
peak_bytes = Metric("peak_bytes", "B", "lower", _peak_bytes)
