# %% [markdown]
# # Is my model really chaotic?
#
# A model may forecast Lorenz' system for a while and yet settle on a cycle, come to rest or fly away when it runs by
# itself. Three instruments tell, and each has a blind spot.

# %%
import numpy as np
import pandas as pd

import bench
from learners import DMD, Budget, NeuralODE, TrueEquations, WindowedRNN
from metrics import kaplan_yorke_dimension, lyapunov_exponent, settles_on, vpt, zero_one_k
from metrics.zero_one import zero_one
from results.figures.portraits import attractors
from results.figures.style import styles
from systems import Lorenz, Sampling, sample

data = sample(Lorenz(), Sampling(step=0.018112, test=32, horizon=8.0, climate=2, climate_horizon=200.0), seed=0)
models = {
    "true equations": TrueEquations().fit(data),
    "neural ODE": NeuralODE().fit(data, Budget(0.3)),
    "neural ODE, hardly trained": NeuralODE().fit(data, Budget(0.005)),
    "GRU": WindowedRNN(cell="gru").fit(data, Budget(0.1)),
    "linear map": DMD().fit(data),
}
instruments = [vpt, zero_one_k, lyapunov_exponent, kaplan_yorke_dimension]
pd.DataFrame({name: bench.evaluate(model, data, instruments) for name, model in models.items()}).T

# %% [markdown]
# In Lyapunov times the largest exponent of the true system is 1, and the dimension of its attractor 2.06. Each
# instrument looks at long runs of the model itself, not at its forecasts: a network that has hardly been trained
# forecasts little, and is chaotic all the same, though with another exponent. A number that is missing has a reason,
# in the `attrs["undefined"]` of what `evaluate` returns. What do the runs settle on?

# %%
settled = {}
for name, model in models.items():
    run = model.simulate(10_000).states[0].numpy()
    settled[name] = settles_on(run, data.std.numpy(), data.sampling.step)
pd.Series(settled, name="settles on")

# %% [markdown]
# ## Where the 0-1 test misleads
#
# K near 0 is regular, near 1 chaotic. But *noise* is no chaos, and has K = 1; and a chaotic series that is *sampled
# too densely* has K near 0. The test says so itself: `warnings`, and metrics of runs are thinned first.

# %%
x = TrueEquations().fit(data).simulate(16_000).states[0, :, 0].numpy()
series = {
    "Lorenz, every 10th sample": zero_one(x, lag=10),
    "Lorenz, every sample": zero_one(x),
    "white noise": zero_one(np.random.default_rng(0).standard_normal(2000)),
    "a sine": zero_one(np.sin(2.1 * np.arange(2000.0))),
}
pd.DataFrame({name: {"K": one.k, "warnings": "; ".join(one.warnings)} for name, one in series.items()}).T

# %% [markdown]
# ## Where the exponent misleads
#
# It is an average over the stretch that was followed. A model on its way to rest may part for a while, and a run of
# chaos may be a long transient. So look at all of them together, at several runs, and at the picture.

# %%
runs = {name: model.simulate(6_000).states[0].numpy() for name, model in models.items()}
truth = data.climate.states[0].numpy()
attractors(truth, runs, styles(list(runs), []), data.sampling.step, "Lyapunov time")
