# %% [markdown]
# # A gate in CI
#
# A change to a learner may make it worse, and no unit test sees it. A **baseline** is a small file, committed beside
# the code, of what a run measured; `check` holds later runs to it, and tells a loss from noise. In a shell each of
# these calls is a command of `python -m bench`.

# %%
from dataclasses import dataclass, replace

import bench
import learners
from bench.cli import main
from bench.suites.smoke import suite as smoke
from learners import NVAR, Persistence, ResNet
from systems import LinearSpiral, Lorenz

small = replace(
    smoke, name="gate", systems=(LinearSpiral(), Lorenz()), learners=(ResNet(), NVAR(), Persistence()), seeds=4
)
print(bench.run(small))
print(bench.run(small, seeds=8, out="more"))  # seeds that the first run lacks tell how large the noise is

# %%
main(["baseline", "save", "--from", "runs/gate", "--noise", "more/gate"])

# %% [markdown]
# It says besides, on the error stream, how small a loss of each metric a check can see with these seeds. The run
# itself passes, of course:

# %%
main(["check", "gate"])

# %% [markdown]
# Now a change that somebody takes for harmless: the residual network trains a tenth as long.


# %%
@dataclass(frozen=True)
class Hurried(learners.ResNet):
    def fit_replicas(self, dataset, budget, seeds):
        return super().fit_replicas(dataset, replace(budget, effort=budget.effort / 10), seeds)


Hurried.__name__ = "ResNet"  # it comes in the place of the learner of this name
bench.run(replace(small, learners=(Hurried(), NVAR(), Persistence())))
try:
    main(["check", "gate"])
except SystemExit as stopped:
    print("exit code", stopped.code)

# %% [markdown]
# Exit code 1 fails the job. [As a gate in CI](../gate.md) has the workflow for GitHub.
