"""The time scale of a recording, where nobody knows it: how long its channels take to go up and down."""

import numpy as np

from systems.recordings.recording import Recording

LEAST = 2  # turns of one channel, without which it tells nothing


def turning_time(recording: Recording) -> float | None:
    """The median over channels of the mean time from one upward crossing of the channel's mean to the next.

    That is the period of an oscillation, and of chaos about one turn around the attractor. None where no channel turns
    twice.
    """
    spent, turns = np.zeros(recording.dim), np.zeros(recording.dim)
    means = np.concatenate([run.states for run in recording.trajectories]).mean(axis=0)
    for run in recording.trajectories:
        above = run.states > means
        for channel, crossing in enumerate((above[1:] & ~above[:-1]).T):
            times = run.times[1:][crossing]
            if len(times) > 1:
                spent[channel] += times[-1] - times[0]
                turns[channel] += len(times) - 1
    enough = turns >= LEAST
    return float(np.median(spent[enough] / turns[enough])) if enough.any() else None
