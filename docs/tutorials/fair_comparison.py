# %% [markdown]
# # A fair comparison, and what its statistics say
#
# Two learners have never the same score. Whether one is *better* is a question about seeds and systems that were not
# tried. This run has six systems and four seeds; two of its learners are the same network, with 64 and with 32 hidden
# units.

# %%
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import ttest_ind

import bench
from bench.suites.smoke import suite as smoke
from learners import NVAR, Analogue, Persistence, ResNet
from metrics import nrmse, updates, vpt
from results.statistics.ranking import level_by_seeds, paired_losses, ranking, win_matrix
from results.statistics.trials import rows
from systems import Aizawa, Halvorsen, Lorenz, Rossler, Rucklidge, Sprott

suite = replace(
    smoke,
    name="fair",
    description="Are these differences more than chance?",
    systems=(Lorenz(), Rossler(), Aizawa(), Halvorsen(), Rucklidge(), Sprott(case="B")),
    learners=(ResNet(), ResNet(width=32), NVAR(), Persistence(), Analogue()),
    metrics=(vpt, nrmse, updates),
    sampling=replace(smoke.sampling, climate_horizon=4.0, test=32),
    seeds=4,
)
run = bench.run(suite)
run.leaderboard()

# %% [markdown]
# ## On one system: seeds are the replicates
#
# 32 test states of one seed are one trial, since they share its weights: counted as 32 they would make every
# difference significant. Welch's test on the seeds, with Holm's correction, says who is level with the best:

# %%
times = rows(run.frame, metric="vpt")
pd.Series(
    {
        system: ", ".join(sorted(level_by_seeds(rows(times, system=system), run.stored.compared)["vpt"]))
        for system in run.stored.systems
    },
    name="the best, and who is not told from it",
)

# %% [markdown]
# ## Over systems: ranks
#
# A system is one block, however many seeds it has. Friedman's test asks whether the ranks differ at all, Nemenyi's
# which pairs do. With few systems little can be resolved, and the statement says how little.

# %%
print(ranking(run.frame, run.stored.compared).statement)

# %%
run.figure("ranks")

# %% [markdown]
# How often each learner (row) is ahead of each other (column), over all systems and seeds:

# %%
win_matrix(paired_losses(run.frame, run.stored.compared))

# %% [markdown]
# ## What a mistake looks like
#
# Here are two learners that are *exactly* alike, and a thousand comparisons of them: four seeds each, 32 test states
# a seed. How often is one called better at the 5 % level, if every test state counts as a replicate, and if seeds do?

# %%
rng = np.random.default_rng(0)
seed_effect = rng.normal(0, 0.5, (1000, 2, 4, 1))  # what the weights of a seed are worth
scores = seed_effect + rng.normal(0, 1.0, (1000, 2, 4, 32))
states = ttest_ind(*scores.reshape(1000, 2, -1).transpose(1, 2, 0)).pvalue
seeds = ttest_ind(*scores.mean(axis=3).transpose(1, 2, 0), equal_var=False).pvalue
pd.Series({"test states as replicates": (states < 0.05).mean(), "seeds as replicates": (seeds < 0.05).mean()})

# %% [markdown]
# ## Alike in means
#
# Learners of `chaos` and `zoo` have as many updates as cost the same processor time, which `python -m bench calibrate`
# has measured once, and every table shows how many. Where they should
# spend alike, a suite says so: `Suite(..., equal="updates")`, `"nfe"` or `"seconds"`, with an `allowance`; and tuning
# (`python -m bench tune`) gives each as many trials, on validation data.
