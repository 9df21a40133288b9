"""Shape annotations are checked in every test: jaxtyping's hook wraps our functions with beartype as they are imported.

Not those whose own checks are under test (metrics), nor systems, whose parameters may also be tensors.
"""

from jaxtyping import install_import_hook

from tests import typechecking  # noqa: F401  (the hook finds it as an attribute of the package)

install_import_hook(["learners", "systems.trajectories"], "tests.typechecking.checked")
