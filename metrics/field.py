"""How far a learned vector field is from the true one."""

import numpy as np

from metrics.base import Evidence, Field, Metric, Undefined


def _field(evidence: Evidence) -> Field:
    if evidence.field is None:
        raise Undefined("the model has no vector field in the plane of the system's states")
    return evidence.field


def _distance(field: Field, part: slice) -> float:
    flow, learned = field.flow[part], field.learned[part]
    return float(np.sqrt(((learned - flow) ** 2).sum(axis=1).mean() / (flow**2).sum(axis=1).mean()))


def _around(evidence: Evidence) -> float:
    """Root mean square distance of the learned field from the true one, relative, on a grid around the data."""
    field = _field(evidence)
    return _distance(field, slice(0, field.around))


def _along(evidence: Evidence) -> float:
    """Root mean square distance of the learned field from the true one, relative, along the training data."""
    field = _field(evidence)
    return _distance(field, slice(field.around, None))


field_error = Metric("field_error", "", "lower", _around)
field_error_along = Metric("field_error_along", "", "lower", _along)
