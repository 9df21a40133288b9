# %% [markdown]
# # A first comparison
#
# Three networks learn Lorenz' system: a neural ODE, a residual network and a recurrent network. All see the same
# data. `budget="quick"` trains a tenth as long as the tables of this project do.

# %%
import bench

run = bench.run(
    "chaos",
    systems=["Lorenz"],
    learners=["NeuralODE", "ResNet", "WindowedRNN[cell=gru]"],
    seeds=3,
    budget="quick",
)
run.leaderboard()

# %% [markdown]
# `vpt` is how long a forecast stays within half a standard deviation of the truth, here in Lyapunov times: after
# each of them a small error has grown by a factor of e. Below the three networks stand the **reference rows**, which
# every run carries. Look at them first: a network that does not beat `Analogue`, which repeats the nearest past, has
# learned less than it was shown; `PolynomialPropagator` is a ridge regression, and `TrueEquations` what single
# precision leaves of the truth.

# %%
run.figure("error_growth")

# %% [markdown]
# Errors begin small, grow at the rate that the system dictates, and level off where a forecast is no better than a
# random state of the attractor. Who forecasts does not always keep the attractor, too: each learner runs on by
# itself for a long time, beside the truth.

# %%
run.figure("attractors-Lorenz")

# %% [markdown]
# All of the run lies in a folder: the same call finds it finished, and `report` writes one page with all tables and
# figures.

# %%
print(run)
print(run.report())

# %% [markdown]
# Next: [what a report says](reading_a_report.md), and [whether differences are more than chance](fair_comparison.md).
