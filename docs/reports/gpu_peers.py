"""Updates of a neural ODE by JAX, beside ours on the same device: `python docs/reports/gpu_peers.py cuda FILE.json`.

The network is 3-256-3 with ReLU, the solver the 3/8 rule. JAX runs in a process of its own, which
`tests/performance/jax_updates.py` is; it takes all numbers that it needs from there.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter

from bench.machine.meter import synchronise
from bench.timing.updates import InapplicableError, Updates
from learners import NeuralODE, Training
from systems import Lorenz, Sampling, sample

THEIRS = Path(__file__).parents[2] / "tests" / "performance" / "jax_updates.py"
CASES = ((1, 999), (9, 20), (49, 64))  # lookahead and batch
COUNT, ROUNDS = 20, 5

device, file = sys.argv[1:]
if find_spec("jax") is None or find_spec("diffrax") is None or not THEIRS.exists():
    sys.exit("jax and diffrax are not installed")
data = sample(Lorenz(), Sampling(step=0.009056, trajectories=1, valid=1, test=1, horizon=0.1, climate=1), 0).to(device)
rows = []
sharing = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # memory
with subprocess.Popen(
    [sys.executable, THEIRS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=sharing
) as jax:
    assert jax.stdin is not None
    assert jax.stdout is not None
    for lookahead, batch in CASES:
        training = Training(batch=batch)
        learner = NeuralODE(lookahead=lookahead, width=256, depth=1, activation="relu", training=training)
        row: dict[str, float | str] = {"lookahead": lookahead, "batch": batch}
        for variant in ("eager", "graph"):
            try:
                update = Updates.of(learner, data).update(variant)
            except InapplicableError as reason:
                row[variant] = str(reason)
                continue
            times = []
            for _ in range(ROUNDS + 1):
                begin = perf_counter()
                for _ in range(COUNT):
                    update()
                synchronise(device)
                times.append((perf_counter() - begin) / COUNT)
            row[variant] = median(times[1:])
        for way in ("hand", "diffrax"):
            times = []
            for _ in range(ROUNDS + 1):  # the first compiles
                begin = perf_counter()
                jax.stdin.write(f"{way} {lookahead} {batch} {COUNT}\n")
                jax.stdin.flush()
                if not jax.stdout.readline():
                    sys.exit(f"jax ended in the midst of {way} with lookahead {lookahead}")
                times.append((perf_counter() - begin) / COUNT)
            row[f"jax, {way}"] = median(times[1:])
        rows.append(row)
        Path(file).write_text(json.dumps(rows, indent=1) + "\n")  # each, should there be no time for more
