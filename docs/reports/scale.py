"""What a run costs as it grows, by the command line: `python docs/reports/scale.py FOLDER [cells samples sites]`.

Writes `scale.csv` and `scale.md` into the folder: runs of ever more cells that do nothing, of ever more samples, and of
ever more sites, each with the exponent of its growth since the size before. A size that fails, or takes longer
than `LIMIT`, is the last of its kind, with the reason.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

LIMIT = 600  # seconds that one run may take
SUITE = """
from bench.suite import Suite
from learners import NVAR, NeuralODE, Persistence, ResNet
from metrics import nrmse, vpt
from systems import LinearSpiral, Lorenz, Lorenz96, Sampling

systems, learners, sampling = ({systems},), ({learners},), {sampling}
suite = Suite("scale", "", systems=systems, learners=learners, metrics=(nrmse, vpt), sampling=sampling, seeds=1)
"""
SMALL = "Sampling(trajectories=4, samples=50, valid=2, test=4, climate=1, horizon=1.0, climate_horizon=2.0)"
PROTOCOL = "Sampling(step=0.018112, samples={samples}, horizon=4.0, climate_horizon=20.0)"
NETWORKS = "NeuralODE(), ResNet(), NVAR()"
SIZES = {
    "cells": (10, 100, 1000, 10_000),
    "samples": (1000, 10_000, 100_000),  # of each of 32 trajectories
    "sites": (10, 30, 100, 300, 1000),  # of Lorenz-96
}


def suite(kind: str, size: int) -> str:
    """The source of a suite of this size."""
    systems, learners = "Lorenz()", NETWORKS
    if kind == "cells":
        systems = f"*(LinearSpiral(damping=0.01 * (1 + index) / {size}) for index in range({size}))"
        learners = "Persistence()"
    if kind == "sites":
        systems = f"Lorenz96(sites={size})"
    sampling = SMALL if kind == "cells" else PROTOCOL.format(samples=size if kind == "samples" else 1000)
    return SUITE.format(systems=systems, learners=learners, sampling=sampling)


def measured(kind: str, size: int) -> dict[str, object]:
    """Seconds, processor seconds and bytes of a run of this size, or why it has none."""
    row: dict[str, object] = {"kind": kind, "size": size}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "scale.py").write_text(suite(kind, size))
        command = [
            sys.executable,
            "-m",
            "bench",
            "run",
            "--suite",
            "scale.py",
            "--budget",
            "quick",
            "-j",
            "2",
            "--quiet",
        ]
        begin = perf_counter()
        try:
            done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired:
            return row | {"outcome": f"more than {LIMIT} s"}
        row["seconds"] = perf_counter() - begin
        if done.returncode:
            return row | {"outcome": done.stderr.strip().splitlines()[-1][:200]}
        cells = [json.loads(path.read_text()) for path in place.glob("runs/cells/*/environment.json")]
        row["processor_seconds"] = sum(cell["cpu_seconds"] for cell in cells)
        row["peak_bytes"] = max(cell["peak_bytes"] for cell in cells)
        row["store_bytes"] = sum(path.stat().st_size for path in place.rglob("runs/**/*") if path.is_file())
    return row | {"outcome": "ok"}


def page(rows: pd.DataFrame) -> str:
    """Tables in Markdown, one for each kind, with the exponent of the growth of seconds and bytes."""
    parts = ["# How a run grows\n"]
    for kind, some in rows.groupby("kind", sort=False):
        grown = np.log(some["size"].astype(float)).diff()
        lines = [
            f"## {kind}\n",
            "| size | s | exponent | processor s | peak MB | store MB | exponent | |",
            "| --: " * 7 + "| :-- |",
        ]
        exponents = {name: np.log(some[name].astype(float)).diff() / grown for name in ("seconds", "store_bytes")}
        for place, row in some.iterrows():
            numbers = [
                row["seconds"], exponents["seconds"][place], row["processor_seconds"], row["peak_bytes"] / 1e6,
                row["store_bytes"] / 1e6, exponents["store_bytes"][place],
            ]  # fmt: skip
            told = " | ".join("" if pd.isna(number) else f"{number:.3g}" for number in numbers)
            lines.append(f"| {row['size']:,} | {told} | {'' if row['outcome'] == 'ok' else row['outcome']} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rows = pd.DataFrame(
        columns=["kind", "size", "seconds", "processor_seconds", "peak_bytes", "store_bytes", "outcome"]
    )
    for kind in sys.argv[2:] or SIZES:
        for size in SIZES[kind]:
            rows.loc[len(rows)] = measured(kind, size)
            rows.to_csv(folder / "scale.csv", index=False)
            (folder / "scale.md").write_text(page(rows))
            if rows["outcome"].iloc[-1] != "ok":
                break
    sys.stdout.write(f"{folder / 'scale.md'}\n")
