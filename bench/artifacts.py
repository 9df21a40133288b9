"""The files that a cell leaves behind: what it was, how its trials ended, curves, arrays, weights, surroundings."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64
from safetensors.torch import save

from bench.key import digest, identity
from learners import CurvePoint
from metrics import Evidence, Undefined, model_spectrum
from metrics.trajectory import STRICT_THRESHOLD, forecast_error, longest_prediction_times, prediction_times
from metrics.zero_one import is_oversampled, is_short, oversampling, subsampling, translation_curves
from systems import System

if TYPE_CHECKING:
    from bench.cell import Cell
    from bench.trial import Trial

Arrays = dict[str, np.ndarray]

DRAWN = 3  # test states whose forecasts are kept
QUARTILES = (0.25, 0.5, 0.75)
SHARED = (  # the same for every seed
    *("times", "vpt_longest", "truth", "climate_times", "climate_truth"),
    *("pq_truth", "pq_sampling", "pq_doubts"),
    *("path_times", "labels"),
)


def write(
    folder: Path, cell: "Cell", key: str, trials: Sequence["Trial"], surroundings: dict[str, Any], seconds: float
) -> None:
    """Write every file of a cell but its log."""
    _write_json(folder / "cell.json", describe(cell, key, seconds))
    _write_json(folder / "records.json", [asdict(trial.record) for trial in trials])
    _write_json(folder / "environment.json", surroundings)
    _write_curves(folder / "curve.csv", trials)
    arrays = stack([trial.arrays for trial in trials])
    np.savez(folder / "arrays.npz", **arrays)  # chaotic series hardly compress
    weights = {f"{trial.record.seed}.{name}": tensor for trial in trials for name, tensor in trial.weights.items()}
    copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in weights.items()}
    (folder / "checkpoint.safetensors").write_bytes(save(copies))


@singledispatch
def describe(cell: "Cell", key: str, seconds: float) -> dict[str, Any]:
    """What a cell is, as JSON-ready values; `seconds` is what all of it took."""
    timescale, dim = _geometry(cell.system)
    return {
        "key": key,
        "system": cell.system_label,
        "learner": cell.learner_label,
        "reference": cell.learner.reference,
        "seeds": list(cell.seeds),
        "data_seed": cell.data_seed,
        "timescale": timescale,
        "timescale_name": cell.system.timescale_name,
        "step": cell.sampling.step * timescale if timescale else None,
        "dim": dim,
        "ring": cell.system.ring,
        "updates_effort": cell.budget.effort,
        "device": cell.device,
        "configuration": identity(cell),
        "digest": digest(cell),
        "seconds": seconds,
    }


@singledispatch
def drawings(evidence: Evidence) -> Arrays:
    """What the figures are drawn from, for one seed. Times are in timescales, counted from the end of the context."""
    error = forecast_error(evidence)
    pq_truth, pq = translation_curves(evidence)
    arrays = {
        "times": evidence.times[0],
        # Each quartile is the error of a state: between a finite error and an infinite one nothing can be interpolated.
        "error_quartiles": np.quantile(error, QUARTILES, axis=0, method="inverted_cdf"),
        "vpt": prediction_times(evidence),
        "vpt_strict": prediction_times(evidence, STRICT_THRESHOLD),
        "vpt_longest": longest_prediction_times(evidence),
        "truth": evidence.truth[:DRAWN],
        "forecast": evidence.forecast[:DRAWN],
        "climate_times": _times(evidence.climate_truth, evidence.step),
        "climate_truth": evidence.climate_truth[0],
        "climate": evidence.climate[0],
        "pq_truth": pq_truth,
        "pq": pq,
        **_subsampled(evidence),
        **paths(evidence),
    }
    with np.errstate(over="ignore"):  # what single precision cannot hold is as good as infinite
        return {name: values if name == "times" else values.astype(np.float32) for name, values in arrays.items()}


def paths(evidence: Evidence) -> Arrays:
    """Trajectories decoded between two latent states, and their times in timescales, where a model has such states."""
    if evidence.decoded is None:
        return {}
    return {"path": evidence.decoded.path.astype(np.float32), "path_times": evidence.decoded.path_times}


def spread(evidence: Evidence) -> Arrays:
    """Lyapunov exponents of the model per timescale, and their 95 % intervals over the states: mean, low, high."""
    try:
        spectrum = model_spectrum(evidence)
    except Undefined:
        return {}
    return {"exponents": np.stack([spectrum.exponents, *spectrum.interval]).astype(np.float32)}


def stack(seeds: Sequence[Arrays]) -> dict[str, Any]:
    """The arrays of all seeds, in their order; those of a seed that has none are not a number."""
    examples = {name: values for arrays in seeds for name, values in arrays.items()}
    return {name: values if name in SHARED else _stack(name, values, seeds) for name, values in examples.items()}


def _stack(name: str, example: np.ndarray, seeds: Sequence[Arrays]) -> np.ndarray:
    return np.stack([arrays.get(name, np.full_like(example, np.nan)) for arrays in seeds])


def _subsampled(evidence: Evidence) -> Arrays:
    """What the 0-1 test sees of the truth's first long run, and whether it had better see more, or less densely.

    `pq_sampling` are lag, samples and oversampling of the series; `pq_doubts` are 1 where samples are too few, and
    where they are too dense, for its outcome to be trusted.
    """
    channel = evidence.climate_truth[:, :, 0]
    lag = subsampling(channel)
    series = channel[0, ::lag]
    samples, density = len(series), oversampling(series)
    return {
        "pq_sampling": np.array([lag, samples, density], dtype=np.float64),
        "pq_doubts": np.array([is_short(samples), is_oversampled(density)], dtype=np.float64),
    }


def _geometry(system: System) -> tuple[float | None, int | None]:
    """Timescale and dimension; None where the system itself fails, as a cell that reports this must."""
    try:
        return system.timescale, system.dim
    except Exception:
        return None, None


def _times(states: Float64[np.ndarray, "batch time dim"], step: float) -> Float64[np.ndarray, " time"]:
    return np.arange(1, states.shape[1] + 1) * step


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _write_curves(path: Path, trials: Sequence["Trial"]) -> None:
    columns = ["seed", *(field.name for field in fields(CurvePoint))]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({"seed": trial.record.seed} | asdict(point) for trial in trials for point in trial.curve)
