# %% [markdown]
# # On a cluster
#
# Cells do not depend on each other, so a run is divided among machines without a word between them. Each `main` is a
# command of `python -m bench`; here two "machines" are two calls.

# %%
from pathlib import Path

from bench.cli import main

chosen = ["--suite", "smoke", "-s", "Lorenz", "-l", "NVAR", "-l", "Reservoir", "--seeds", "2"]
main(["plan", *chosen])

# %% [markdown]
# **Separate disks.** Each machine takes a share and has a store of its own; `merge` joins the stores. It refuses runs
# of other data, seeds or budgets, and takes no cell whose checksums are wrong.

# %%
main(["run", *chosen, "--shard", "1/2", "--out", "store_a", "--quiet"])
main(["status", "smoke", "--out", "store_a"])
main(["run", *chosen, "--shard", "2/2", "--out", "store_b", "--quiet"])
main(["merge", "store_a", "store_b", "--out", "together"])
main(["report", "smoke", "--out", "together"])

# %% [markdown]
# **A shared folder** needs no `merge`: every task of an array job is given the same `--out`, none computes what
# another has or is working on, and the last one writes the report.
#
# Cells are named after what they depend on: configuration, seeds, data and code. So the same cell has the same name
# on every machine, and what has changed since is computed anew:

# %%
print(*sorted(path.name for path in Path("together/cells").iterdir())[:3], sep="\n")
main(["plan", *chosen, "--out", "together"])

# %% [markdown]
# [On a cluster](../cluster.md) has the commands for Slurm, dask and Kubernetes.
