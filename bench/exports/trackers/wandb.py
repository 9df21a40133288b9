"""Runs of Weights and Biases: files to be sent later; at once where WANDB_MODE is "online"."""

import os
from pathlib import Path
from typing import Any

import wandb

from bench.exports.trackers.tracked import Tracked, replacing, trials
from results.store.run import Run

PROJECT = "dynamics-bench"


def write(run: Run) -> str:
    """Write a run of Weights and Biases for every finished trial, grouped by suite, in the folder `wandb` of the run.

    Without WANDB_MODE nothing is sent. What was there is replaced; a trial has the same identity each time.
    """
    folder = run.folder / "wandb"
    mode = os.environ.get("WANDB_MODE", "offline")
    try:
        with replacing(folder) as unfinished:
            for trial in trials(run):
                _write_trial(unfinished, run.suite, mode, trial)
            _unpack(unfinished)
    except wandb.Error as error:
        raise RuntimeError(f"Weights and Biases refuses: {error}") from error
    return f"wandb runs of {PROJECT}" if mode == "online" else f"wandb sync {folder}/offline-run-*"


def _write_trial(folder: Path, suite: str, mode: Any, trial: Tracked) -> None:
    with wandb.init(
        project=os.environ.get("WANDB_PROJECT", PROJECT),
        group=suite,
        name=trial.name,
        id=f"{trial.cell[:32]}-{trial.record.seed}",
        tags=[trial.system[:64], trial.learner[:64]],
        config={**trial.settings, **trial.outcome, "cell": trial.cell},
        dir=folder,
        mode=mode,
        reinit="create_new",
        settings=wandb.Settings(silent=True, console="off", x_disable_stats=True, disable_git=True, disable_code=True),
    ) as writer:
        for update, values in trial.points:
            writer.log(values, step=update)
        writer.summary.update(trial.measured)
        writer.finish(exit_code=0 if trial.record.status == "ok" else 1)


def _unpack(folder: Path) -> None:
    """Take runs out of the folder `wandb` that the library makes within the one that it is given."""
    inner = folder / "wandb"
    for path in inner.glob("*run-*"):
        path.rename(folder / path.name)
