"""The files that a cell leaves behind: what it was, how its trials ended, curves, arrays, weights, surroundings."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from bench.cells.drawings import Arrays
from bench.cells.key import Planned, identity
from bench.cells.trial import Trial
from learners import CurvePoint
from results import Record
from results.store.packing import read_arrays, write_arrays

SHARED = (  # the same for every seed
    *("times", "vpt_longest", "truth", "climate_times", "climate_truth"),
    *("pq_truth", "pq_sampling", "pq_doubts"),
    *("path_times", "labels", "panels_truth", "panels_given"),
    *("fit_times", "fit_data", "fit_truth"),
    *("parameter_names", "equations"),
    *("k_times", "k_truth"),
)
# Of the first seed that has some, which is drawn: those of all would be most of a cell.
FIRST = frozenset(("forecast", "climate", "fit", "fit_before", "panels"))


def write_files(
    folder: Path, planned: Planned, trials: Sequence[Trial], surroundings: dict[str, Any], seconds: float
) -> None:
    """Write every file of a cell but its log; `seconds` is what fitting and measuring took."""
    about = {
        "key": planned.key,
        **planned.cell.about(),
        "configuration": identity(planned.cell),
        "digest": planned.code,
        "data": planned.data.name,
        "seconds": seconds,
    }
    write_json(folder / "cell.json", about)
    write_json(folder / "records.json", [asdict(trial.record) for trial in trials])
    write_json(folder / "environment.json", surroundings)
    with (folder / "curve.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["seed", *(field.name for field in fields(CurvePoint))], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"seed": trial.record.seed} | asdict(point) for trial in trials for point in trial.curve)
    write_arrays(folder / "arrays.npz", stack([trial.arrays for trial in trials]))
    from safetensors.torch import save

    weights = {f"{trial.record.seed}.{name}": tensor for trial in trials for name, tensor in trial.weights.items()}
    copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights.items()}
    (folder / "checkpoint.safetensors").write_bytes(save(copies))


def join_files(
    folder: Path, planned: Planned, parts: Sequence[Path], surroundings: dict[str, Any], seconds: float
) -> None:
    """Write every file of a cell but its log, of the files of cells of its seeds, one each."""
    from safetensors.torch import load_file

    trials = []
    for part in parts:
        (record,) = json.loads((part / "records.json").read_text(encoding="utf-8"))
        arrays = read_arrays(part / "arrays.npz")
        with (part / "curve.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        curve = [CurvePoint(int(row["update"]), *map(float, list(row.values())[2:])) for row in rows]
        of_seed = {name: values if name in SHARED else values[0] for name, values in arrays.items()}
        weights = load_file(part / "checkpoint.safetensors")
        trials.append(
            Trial(
                Record.parse(record),
                tuple(curve),
                of_seed,
                {name.partition(".")[2]: tensor for name, tensor in weights.items()},
            )
        )
    write_files(folder, planned, trials, surroundings, seconds)


def stack(seeds: Sequence[Arrays]) -> dict[str, Any]:
    """The arrays of all seeds, in their order; those of a seed that has none, or fewer numbers, are not a number there.

    Forecasts are those of the first seed that has any.
    """
    examples: dict[str, Any] = {}
    for name, values in (pair for arrays in seeds for pair in arrays.items()):
        examples[name] = max(examples.get(name, values), values, key=len)
    found = {
        name: example
        if name in SHARED
        else np.stack([_filled(arrays.get(name, example[:0]), example) for arrays in seeds])
        for name, example in examples.items()
    }
    for name in FIRST & found.keys():
        first = next((place for place, of_one in enumerate(found[name]) if not np.isnan(of_one).all()), 0)
        found[name] = found[name][first : first + 1]
    return found


def _filled(values: Any, example: Any) -> Any:
    """The values, with what is not a number behind them where the example has more."""
    missing = np.full_like(example[len(values) :], np.nan)
    return np.concatenate([values, missing]) if len(missing) else values


def write_json(path: Path, content: Any) -> None:
    """Write JSON-ready values."""
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")
