"""Shape annotations are checked in every test: jaxtyping's hook wraps our functions with beartype as they are imported.

Of each test the first calls are, as `tests/support/typechecking.py` says. Not checked are those whose own checks are
under test (metrics), and systems, whose parameters may also be tensors.

One thread: what tests compute is so small that sharing it out takes longer than doing it.
"""

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

from jaxtyping import install_import_hook  # noqa: E402  (the numbers of threads are read as libraries load)

if find_spec("beartype"):  # a machine that is lent for its GPU may lack it
    from tests.support import typechecking  # which the hook finds as an attribute of the package

    install_import_hook(["learners", "systems.trajectories", "systems.sampling"], "tests.support.typechecking.checked")

    @pytest.fixture(autouse=True)
    def shapes_are_checked() -> None:
        """In the first calls of each test."""
        typechecking.begin()


@pytest.fixture(autouse=True)
def no_suite_is_left_behind() -> Iterator[None]:
    """Tests write suites of the same name, each of which is a module that stands for its own file."""
    sys.modules.pop("toy_suite", None)
    sys.path[:] = [folder for folder in sys.path if not Path(folder, "toy_suite.py").exists()]
    yield
    sys.modules.pop("toy_suite", None)
