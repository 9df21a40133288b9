"""Prediction times of learners in two ways, side by side: `python docs/reports/pairs.py runs/tuned` prints a table.

For runs whose suite has every kind of network twice, `tuned` and `optimisers`; the one with fewer settings of its own
comes first. Intervals are those of the mean logarithm of the ratio, over systems, which are the replicates.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from results.claims.base import interval
from results.store.run import Run

NAMES = {
    ("ResNet", "", ""): "ResNet",
    ("NeuralODE", "", ""): "NeuralODE",
    ("RKNet", "", ""): "RKNet",
    ("ODENet", "", ""): "ODENet",
    ("WindowedRNN", "rnn", ""): "Elman network",
    ("WindowedRNN", "", ""): "GRU",
    ("WindowedRNN", "lstm", ""): "LSTM",
    ("PLRNN", "", ""): "PLRNN",
    ("StatefulRNN", "", ""): "GRU, teacher forcing",
    ("NeuralODE", "", "convolution"): "NeuralODE, convolution",
    ("ResNet", "", "convolution"): "ResNet, convolution",
}


def prediction_times(frame: pd.DataFrame) -> pd.DataFrame:
    """Of each system and seed, with what tells kinds of network apart, and how many settings are not the defaults."""
    found = frame.loc[(frame["metric"] == "vpt") & frame["learner_class"].isin([name for name, *_ in NAMES])].copy()
    found["kind"] = [
        (name, settings.get("cell", ""), settings.get("network", ""))
        for name, settings in zip(found["learner_class"], found["learner_settings"], strict=True)
    ]
    found["changed"] = [len(settings) for settings in found["learner_settings"]]
    return found


def table(frame: pd.DataFrame) -> pd.DataFrame:
    """Medians over seeds by system of every kind that is there twice, and rows with what the second gains.

    `frame` is that of a run with the components of its labels.
    """
    found, columns, systems = prediction_times(frame), {}, frame["system"].unique()
    for kind, name in NAMES.items():
        both = [each for _, each in found.loc[found["kind"] == kind].groupby("learner")]
        if len(both) != 2:
            continue
        both.sort(key=lambda each: each["changed"].iloc[0])
        first, second = (each.set_index(["system", "seed"])["value"] for each in both)
        medians = [each.groupby("system", sort=False).median().dropna() for each in (first, second)]
        shown = medians[0].map("{:.1f}".format) + " / " + medians[1].map("{:.1f}".format)
        ratios = np.log(second / first).replace([np.inf, -np.inf], np.nan).dropna().groupby("system").mean().to_numpy()
        low, high = (100 * np.expm1(end) for end in interval(ratios))
        gain = f"{100 * np.expm1(ratios.mean()):.0f} % [{low:.0f}, {high:.0f}]"
        columns[name] = [*shown.reindex(systems, fill_value=""), gain, f"{(ratios > 0).sum()} of {len(ratios)}"]
    return pd.DataFrame(columns, index=[*systems, "**the second is longer by**", "**longer on**"])


if __name__ == "__main__":
    print(table(Run.load(Path(sys.argv[1])).frame_of_components()).to_markdown())  # noqa: T201
