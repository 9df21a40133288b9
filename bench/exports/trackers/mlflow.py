"""Runs of MLflow: an experiment for each suite, on the server that MLFLOW_TRACKING_URI names, or in a database."""

import logging
import os
from collections.abc import Iterator, Sequence
from typing import TypeVar

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before it is imported

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from bench.exports.trackers.tracked import Tracked, trials
from results.store.run import Run

MOST = {"metrics": 1000, "params": 100}  # in one message
LONGEST = 500  # characters of a setting

T = TypeVar("T")


def write(run: Run) -> str:
    """Write a run of MLflow for every finished trial, in place of the one of the same cell and seed; say where.

    Without a server they lie in `mlflow.db` in the folder of the run.
    """
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # that tables are made is no news
    logging.getLogger("alembic").setLevel(logging.WARNING)
    given = os.environ.get("MLFLOW_TRACKING_URI")
    place = given or f"sqlite:///{(run.folder / 'mlflow.db').absolute()}"
    try:
        client = MlflowClient(tracking_uri=place)
        known = client.get_experiment_by_name(run.suite)
        experiment = known.experiment_id if known else client.create_experiment(run.suite)
        for trial in trials(run):
            _write_trial(client, experiment, trial)
    except MlflowException as error:
        raise RuntimeError(f"MLflow at {place} refuses: {error}") from error
    return f"mlflow runs of {given}" if given else f"mlflow ui --backend-store-uri {place}"


def _write_trial(client: MlflowClient, experiment: str, trial: Tracked) -> None:
    seed = trial.record.seed
    for former in client.search_runs([experiment], f"tags.cell = '{trial.cell}' and tags.seed = '{seed}'"):
        client.delete_run(former.info.run_id)
    tags = {"cell": trial.cell, **{name: str(value) for name, value in trial.outcome.items()}}
    identity = client.create_run(experiment, run_name=trial.name).info.run_id
    points = [*trial.points, (trial.last, trial.measured)]
    metrics = [Metric(tag, value, 0, update) for update, values in points for tag, value in values.items()]
    settings = [Param(name, str(value)[:LONGEST]) for name, value in trial.settings.items()]
    for part in _parts(metrics, MOST["metrics"]):
        client.log_batch(identity, metrics=part)
    for part in _parts(settings, MOST["params"]):
        client.log_batch(identity, params=part)
    client.log_batch(identity, tags=[RunTag(name, value[:LONGEST]) for name, value in tags.items()])
    client.set_terminated(identity, "FINISHED" if trial.record.status == "ok" else "FAILED")


def _parts(entries: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for begin in range(0, len(entries), size):
        yield entries[begin : begin + size]
