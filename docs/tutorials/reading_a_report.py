# %% [markdown]
# # Reading a report
#
# The report of [a first comparison](first_comparison.md), in the order in which its page should be read. Each part is
# at hand in Python, too. [Reading a report](../reading.md) has the meaning of every metric.

# %%
from pathlib import Path

import bench
from results.statistics.ranking import level_by_seeds
from results.statistics.trials import endings

run = bench.run(
    "chaos",
    systems=["Lorenz"],
    learners=["NeuralODE", "ResNet", "WindowedRNN[cell=gru]"],
    seeds=3,
    budget="quick",
)
page = run.report()
print(page, f"{page.stat().st_size / 1e6:.1f} MB, opens without a network")

# %% [markdown]
# **1. Under which conditions?** Everything below holds under these alone.

# %%
print(run.stored.conditions)

# %% [markdown]
# **2. Did everything end well?** A trial that diverged is a result, and is counted as the worst; one that crashed says
# nothing about its method.

# %%
endings(run.frame).groupby(["learner", "status"], sort=False).size().rename("seeds").reset_index()

# %% [markdown]
# **3. Who beats the reference rows?** Below each table stand yardsticks. A bar that ends before that of `Analogue` is
# of a learner that has learned less than it was shown.

# %%
run.figure("prediction_times")

# %% [markdown]
# **4. Is the best one resolved from the others?** Seeds are the replicates. In bold are the best learner and all that
# a test on the seeds does not tell from it:

# %%
level = level_by_seeds(run.frame, run.stored.compared)
for metric in ("vpt", "nrmse", "d_stsp"):
    print(metric, "is led by", *sorted(level.get(metric, {"nobody, as far as these seeds tell"})))

# %% [markdown]
# **5. Is the long run right, too?** A spectrum that has lines where the truth has none is that of a cycle; one that
# falls too fast is that of a model that is too smooth.

# %%
run.figure("power_spectra")

# %% [markdown]
# **6. At what cost?** A filled mark is that of a learner that no other beats in both directions.

# %%
run.figure("pareto")

# %% [markdown]
# **7. Can it be repeated?** A number leads to its cell, and the cell has its configuration, the curve of its training
# and its log.

# %%
cell = run.stored.finished[0]
print(cell.learner, "on", cell.system)
print(*sorted(path.name for path in Path("runs/cells", cell.key).iterdir()), sep="\n")
