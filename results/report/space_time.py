"""The figures of systems whose channels are the sites of a ring: spatial spectra, and forecasts in space and time."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float

from results.figures.space_time import space_time
from results.figures.spectra import spatial_spectra
from results.formatting import slug
from results.report.figure_data import FigureData, Picture


def ring_pictures(data: FigureData) -> Iterator[Picture]:
    """The figures of the rings of a run; none of any other run."""
    found = []
    for system in data.rings:
        runs = {"": data.truth(system)["climate_truth"], **data.paths(system, "climate")}
        for learner, path in runs.items():
            if not isinstance(path, str):
                power = spatial_power(path)
                spectrum = pd.DataFrame({"wave": range(len(power)), "power": power})
                found.append(spectrum.assign(system=system, learner=learner))
    if found:
        yield Picture(
            "spatial_spectra",
            "Spatial spectra",
            "Power of each wave number, mean over the first long run (first seed); the truth is the broad grey "
            "line. What diverged is not drawn.",
            spatial_spectra(pd.concat(found, ignore_index=True), data.styles),
        )
    for system in data.rings:
        arrays = data.truth(system)
        forecasts = {
            learner: path if isinstance(path, str) else path[0]
            for learner, path in data.paths(system, "forecast").items()
        }
        yield Picture(
            f"space_time-{slug(system)}",
            "Space and time",
            "The first test state: its truth, the forecast of every learner (first seed), and on the right how far "
            "that is from the truth. White is where a forecast left the finite numbers.",
            space_time(arrays["times"], arrays["truth"][0], forecasts, data.run.timescales[system]),
            system,
            dense=True,
        )


def spatial_power(run: Float[np.ndarray, "time site"]) -> Float[np.ndarray, " wave"]:
    """Mean over time of |rfft|^2 over the sites, as a fraction of their squared number; infinite after divergence."""
    with np.errstate(over="ignore", invalid="ignore"):
        return (np.abs(np.fft.rfft(run, axis=1) / run.shape[1]) ** 2).mean(axis=0)
