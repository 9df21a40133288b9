"""Tracking: what the trials of a run have left, as event files that TensorBoard shows."""

import errno
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from math import isnan
from pathlib import Path
from typing import Any
from uuid import uuid4

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from results import Record
from results.formatting import slug
from results.statistics.trials import rows
from results.store.run import Run

CURVES = {
    "train_loss": "loss/training",
    "valid_loss": "loss/validation",
    "seconds": "cost/seconds",
    "valid_vpt": "vpt/validation",
}
SHOWN = ("system", "learner", "sampling", "budget")  # parts of a configuration that are hyper-parameters


def write(run: Run) -> Path:
    """Write `tensorboard/SYSTEM/LEARNER/seed-N` in the folder of a run, for every finished trial, and say where.

    Each has its learning curve, its settings, and its metrics at the last update. What was there is replaced.
    """
    folder = run.folder / "tensorboard"
    unfinished, retired = (run.folder / f".tensorboard-{uuid4().hex}" for _ in range(2))
    unfinished.mkdir(parents=True)
    try:
        for cell in run.finished:
            curve, configuration = run.store.curve(cell.key), run.store.cell(cell.key)["configuration"]
            settings = dict(_flat({name: part for name, part in configuration.items() if name in SHOWN}))
            for record in run.records[cell.key]:
                place = unfinished / slug(cell.system) / slug(cell.learner) / f"seed-{record.seed}"
                _write_trial(place, record, rows(curve, seed=record.seed).to_dict("records"), settings)
        with suppress(FileNotFoundError):
            folder.rename(retired)
        try:
            unfinished.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # as where another run has written them meanwhile
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(retired, ignore_errors=True)
    return folder


def _write_trial(place: Path, record: Record, curve: Sequence[Mapping[Any, Any]], settings: Mapping[str, Any]) -> None:
    last = int(curve[-1]["update"]) if curve else 0
    measured = {f"metric/{one.metric}": one.value for one in record.measurements if one.value is not None}
    outcome = {"seed": record.seed, "status": record.status, "reason": record.reason}
    with SummaryWriter(str(place)) as writer:
        for point in curve:
            for column, tag in CURVES.items():
                if not isnan(point[column]):
                    writer.add_scalar(tag, point[column], int(point["update"]))
        for tag, value in measured.items():
            writer.add_scalar(tag, value, last)
        for summary in hparams({**settings, **outcome}, measured):
            writer.file_writer.add_summary(summary)  # pyright: ignore[reportOptionalMemberAccess]


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings under dotted names, as values that a table of hyper-parameters takes; a class by its part."""
    for name, value in values.items():
        path = prefix if name == "class" else f"{prefix}.{name}" if prefix else name
        if isinstance(value, Mapping):
            yield from _flat(value, path)
        else:
            yield path, value if isinstance(value, (bool, int, float, str)) else str(value)
