"""What tests of the reference solvers share."""

import numpy as np
import pytest

from systems.solvers import handover


@pytest.fixture
def eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is handed over to compiled code, until a test says otherwise."""
    monkeypatch.setattr(handover, "KERNEL", "not loaded")
    monkeypatch.setattr(handover, "LOADING", np.inf)
