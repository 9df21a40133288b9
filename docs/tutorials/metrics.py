# %% [markdown]
# # What metrics mean, and where each fails
#
# No number says by itself whether a system was learned. Here every kind of metric is given a case that deceives it,
# and beside it the metric that sees through the deceit. All are plain functions on arrays; the last table has every
# metric by name.

# %%
import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

import metrics
from learners import TrainingMean, TrueEquations
from metrics import (
    normalised_error,
    relative_roughness,
    spectral_distance,
    state_space_divergence,
    valid_prediction_time,
)
from results.figures.style import drawing
from systems import Lorenz, Sampling, Trajectories, sample

data = sample(Lorenz(), Sampling(step=0.018112, test=64, horizon=12.0, climate=2, climate_horizon=100.0), seed=0)
context, step, scale = data.sampling.context, data.sampling.step, data.std.numpy()
past, times = data.test.between(0, context), data.test.times[:, context:]
truth = data.test.states[:, context:].numpy()
rng = np.random.default_rng(0)

# %% [markdown]
# ## Errors over the horizon: `nrmse`, `vpt`
#
# `nrmse` is the mean error in standard deviations, over the whole horizon. Let a forecast know the equations, and the
# state to 5 %; let another be the mean of the training data, always.

# %%
off = 0.05 * data.std * torch.from_numpy(rng.standard_normal(past.states.shape))
nearly = Trajectories(past.times, past.states + off)
forecasts = {
    "the equations, from a state that is off": TrueEquations().fit(data).forecast(nearly, times).states.numpy(),
    "the mean": TrainingMean().fit(data).forecast(past, times).states.numpy(),
}
errors = {name: normalised_error(truth, states, scale) for name, states in forecasts.items()}
pd.DataFrame(
    {
        name: {"nrmse": np.median(error.mean(axis=1)), "vpt": np.median(valid_prediction_time(error, step))}
        for name, error in errors.items()
    }
).T

# %%
clock = step * np.arange(1, truth.shape[1] + 1)
with drawing():
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(clock, truth[0, :, 0], color="black", label="truth")
    for name, states in forecasts.items():
        left.plot(clock, states[0, :, 0], label=name)
        right.plot(clock, errors[name][0])
    right.axhline(metrics.THRESHOLD, color="grey", linewidth=0.7)
    left.set(xlabel="Lyapunov times", ylabel="x")
    right.set(xlabel="Lyapunov times", ylabel="error")
    figure.legend(loc="outside lower center", ncols=3)
figure

# %% [markdown]
# By `nrmse` the mean is the better one: once chaos has carried the phase away, a forecast that still moves is wrong
# twice. `vpt`, how long the error stays below 0.5, tells who knew more. It fails elsewhere: on regular
# systems all reach the horizon, and then errors rank, not times.

# %% [markdown]
# ## States without their order: `d_stsp`
#
# `d_stsp` compares how often states are visited. It cannot see in which order: the truth, shuffled, is as good as
# another trajectory of the truth. `d_h`, a distance of power spectra, sees it at once.

# %%
one, other = data.climate.states[:1].numpy(), data.climate.states[1:].numpy()
shuffled = rng.permutation(other, axis=1)

# %% [markdown]
# ## Spectra without their phases: `d_h`
#
# The other way round: the truth's own spectrum with random phases is a series that wanders like Lorenz' and has no
# wings at all. `d_h` takes it for the truth; `d_stsp` does not.

# %%
spectrum = np.fft.rfft(other - other.mean(axis=1, keepdims=True), axis=1)
turned = spectrum * np.exp(2j * np.pi * rng.uniform(size=spectrum.shape))
surrogate = np.fft.irfft(turned, n=other.shape[1], axis=1) + other.mean(axis=1, keepdims=True)
runs = {"another true run": other, "shuffled": shuffled, "random phases": surrogate}
pd.DataFrame(
    {
        name: {"d_stsp": state_space_divergence(one, run), "d_h": spectral_distance(one, run)}
        for name, run in runs.items()
    }
).T

# %%
with drawing():
    figure = Figure(figsize=(7, 2.4), layout="constrained")
    for axes, (name, run) in zip(figure.subplots(1, 3), runs.items(), strict=True):
        axes.plot(run[0, :1500, 0], run[0, :1500, 2], linewidth=0.4)
        axes.set_title(name)
        axes.set_axis_off()
figure

# %% [markdown]
# ## Second differences: `roughness`
#
# 1 is as smooth as the truth. A model at rest has 0 and is not smooth, but dead; noise of 5 %, which hardly changes an
# error, makes a forecast several times as rough. So read it only where a model stays on the attractor, beside `vpt`.

# %%
rest = np.repeat(truth[:, :1], truth.shape[1], axis=1)
noisy = truth + 0.05 * scale * rng.standard_normal(truth.shape)
pd.Series(
    {
        name: np.median(relative_roughness(truth, states, scale))
        for name, states in {"truth": truth, "at rest": rest, "noise of 5 %": noisy}.items()
    },
    name="roughness",
)

# %% [markdown]
# ## Chaos: `zero_one_k`, `lyapunov_exponent`, `chaos_fraction`
#
# See [Is my model really chaotic?](is_it_chaotic.md): noise passes for chaos, and dense sampling hides it.
#
# ## Costs: `nfe_*`, `saved_bytes`, `updates`
#
# They are counted, so that they are the same on every machine. But an evaluation of a wide network is not one of a
# narrow network, and one update of a long unrolling is not one of a short: `flops_update` and `samples` stand beside
# them. Seconds and `peak_bytes` compare within one run, on one machine.
#
# ## All metrics

# %%
every = [getattr(metrics, name) for name in metrics.__all__]
pd.DataFrame(
    [(one.name, one.unit, one.better, one.about) for one in every if isinstance(one, metrics.Metric)],
    columns=["metric", "unit", "better", "what it is"],
)
