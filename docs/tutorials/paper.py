# %% [markdown]
# # A paper's figure and table
#
# Figures are matplotlib's, tables come as LaTeX. The run is that of [a first comparison](first_comparison.md): it is
# not computed again where it is there.

# %%
from pathlib import Path

import bench
from bench.cli import main

run = bench.run(
    "chaos",
    systems=["Lorenz"],
    learners=["NeuralODE", "ResNet", "WindowedRNN[cell=gru]"],
    seeds=3,
    budget="quick",
)
print(*run.figures, sep="\n")

# %% [markdown]
# One figure, changed by hand:

# %%
figure = run.figure("prediction_times")
figure.set_size_inches(3.5, 2.6)
figure.savefig("prediction_times.pdf")
figure

# %% [markdown]
# All of them at a journal's column widths, with its sizes of letters, and all tables for `booktabs`. In a shell:
# `python -m bench report chaos --style paper --figures pdf --format tex`.

# %%
main(["report", "chaos", "--style", "paper", "--figures", "pdf", "--format", "tex"])
print(*sorted(path.name for path in Path("runs/chaos/tables").glob("*.tex")), sep="\n")
print(Path("runs/chaos/tables/leaderboard.tex").read_text())

# %% [markdown]
# For a table of one's own there is every number in long form: a row for each metric of each seed.

# %%
frame = run.frame
chosen = frame[frame["metric"].isin(["vpt", "lyapunov_exponent", "d_stsp"])]
chosen.pivot_table(index="learner", columns="metric", values="value", aggfunc="median", sort=False)

# %% [markdown]
# Say beside it what a reader needs to judge it: seeds, test states, budget and machine. Captions of the tables above
# have this sentence.

# %%
print(run.stored.conditions)
