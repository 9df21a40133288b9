"""Event files that TensorBoard shows."""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from bench.exports.trackers.tracked import Tracked, replacing, trials
from results.formatting import slug
from results.store.run import Run


def write(run: Run) -> str:
    """Write `tensorboard/SYSTEM/LEARNER/seed-N` in the folder of a run, for every finished trial, and say where.

    Each has its learning curve, its settings, and its metrics at the last update. What was there is replaced.
    """
    folder = run.folder / "tensorboard"
    with replacing(folder) as unfinished:
        for trial in trials(run):
            _write_trial(unfinished / slug(trial.system) / slug(trial.learner) / f"seed-{trial.record.seed}", trial)
    return f"tensorboard --logdir {folder}"


def _write_trial(place: Path, trial: Tracked) -> None:
    with SummaryWriter(str(place)) as writer:
        for update, values in trial.points:
            for tag, value in values.items():
                writer.add_scalar(tag, value, update)
        for tag, value in trial.measured.items():
            writer.add_scalar(tag, value, trial.last)
        for summary in hparams({**trial.settings, **trial.outcome}, trial.measured):
            writer.file_writer.add_summary(summary)  # pyright: ignore[reportOptionalMemberAccess]
