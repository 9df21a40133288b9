# %% [markdown]
# # Data of your own
#
# Anything with columns of numbers over time will do: CSV, Parquet, NPZ, NPY or MATLAB. Here a file is made first, as
# a stand-in for a measurement: a predator and its prey, counted with errors of 2 %.

# %%
from dataclasses import replace

import bench
from bench.cli import main
from bench.suites.smoke import suite as smoke
from learners import NVAR, Analogue, NeuralODE, Persistence, ResNet
from systems import LotkaVolterra, Recorded, Sampling, sample

counted = sample(LotkaVolterra(), Sampling(trajectories=1, samples=1500, step=0.02, noise=0.02), seed=0)
frame = bench.to_frame(counted.train, channels=["prey", "predator"])
frame.to_csv("animals.csv", index=False)
frame.head()

# %% [markdown]
# One command tries five kinds of learners on it. It works out the time scale from the turns of the series, and cuts
# the file by time: what comes first trains, what comes last is forecast. In a shell this is
# `python -m bench try animals.csv`.

# %%
main(["try", "animals.csv", "--seeds", "2"])

# %% [markdown]
# To choose learners, protocol and time scale oneself, the file is a system like any other, `Recorded`. A model that
# is worth having beats `Persistence`, which repeats the last sample, and `Analogue`, which repeats what followed the
# most similar past.

# %%
animals = Recorded("animals.csv", timescale=3.0)
suite = replace(
    smoke,
    name="animals",
    description="Who forecasts these animals?",
    systems=(animals,),
    learners=(NeuralODE(), ResNet(), NVAR(), Persistence(), Analogue()),
    sampling=Sampling(test=32, horizon=3.0, climate_horizon=5.0),
)
run = bench.run(suite)
run.leaderboard()

# %%
run.figure("error_growth")

# %% [markdown]
# The model that the run has kept goes on from any past, here from the first test state. Its times are in the file's
# unit.

# %%
model = run.model(run.stored.systems[0], "NeuralODE")
bench.to_frame(model.simulate(5), channels=["prey", "predator"])

# %% [markdown]
# `python -m bench forecast runs/animals animals.csv -l NeuralODE` does this from the command line, with a picture.
