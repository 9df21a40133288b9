"""The files that a cell leaves behind: what it was, how its trials ended, curves, arrays, weights, surroundings."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save

from bench.cells.drawings import Arrays
from bench.cells.key import Planned, identity
from bench.cells.trial import Trial
from learners import CurvePoint

SHARED = (  # the same for every seed
    *("times", "vpt_longest", "truth", "climate_times", "climate_truth"),
    *("pq_truth", "pq_sampling", "pq_doubts"),
    *("path_times", "labels"),
)


def write_files(
    folder: Path, planned: Planned, trials: Sequence[Trial], surroundings: dict[str, Any], seconds: float
) -> None:
    """Write every file of a cell but its log; `seconds` is what fitting and measuring took."""
    about = {
        "key": planned.key,
        **planned.cell.about(),
        "configuration": identity(planned.cell),
        "digest": planned.code,
        "seconds": seconds,
    }
    _write_json(folder / "cell.json", about)
    _write_json(folder / "records.json", [asdict(trial.record) for trial in trials])
    _write_json(folder / "environment.json", surroundings)
    with (folder / "curve.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["seed", *(field.name for field in fields(CurvePoint))], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"seed": trial.record.seed} | asdict(point) for trial in trials for point in trial.curve)
    arrays = stack([trial.arrays for trial in trials])
    np.savez(folder / "arrays.npz", **arrays)  # chaotic series hardly compress
    weights = {f"{trial.record.seed}.{name}": tensor for trial in trials for name, tensor in trial.weights.items()}
    copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights.items()}
    (folder / "checkpoint.safetensors").write_bytes(save(copies))


def stack(seeds: Sequence[Arrays]) -> dict[str, Any]:
    """The arrays of all seeds, in their order; those of a seed that has none are not a number."""
    examples = {name: values for arrays in seeds for name, values in arrays.items()}
    return {
        name: example
        if name in SHARED
        else np.stack([arrays.get(name, np.full_like(example, np.nan)) for arrays in seeds])
        for name, example in examples.items()
    }


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
