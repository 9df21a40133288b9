"""The pictures of a report, one after the other, and what it lacks where one cannot be made."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from itertools import product

from results.report.chaos import chaos_pictures, fields_in_time, return_map, ring_pictures
from results.report.comparison import aggregate_pictures, front_pictures, rank_pictures, where_pictures
from results.report.depth import depth_pictures, memory_pictures
from results.report.figure_data import FigureData, Picture
from results.report.performance import accuracy_pictures, training_pictures
from results.report.portraits import between_latent_states, learned_fields, long_runs, read_and_beyond, zero_one_test
from results.report.sweeps import sweep_pictures
from results.report.time_series import fits, forecasts_in_time

LOG = logging.getLogger(__name__)
PICTURES: tuple[Callable[[FigureData], Iterator[Picture]], ...] = (
    sweep_pictures,
    accuracy_pictures,
    training_pictures,
    ring_pictures,
    rank_pictures,
    where_pictures,
    front_pictures,
    memory_pictures,
    aggregate_pictures,
    chaos_pictures,
    depth_pictures,
)
PICTURES_OF_A_SYSTEM: tuple[Callable[[FigureData, str], Iterator[Picture]], ...] = (
    fits,
    forecasts_in_time,
    fields_in_time,
    learned_fields,
    read_and_beyond,
    between_latent_states,
    long_runs,
    zero_one_test,
    return_map,
)


class Omissions(dict[str, str]):
    """What a report lacks, since it could not be made, and why: a fault in one part costs no other."""

    @contextmanager
    def instead_of(self, part: str) -> Iterator[None]:
        """Note the exception that ends a part of the report, but for those of the disk and of lost processes."""
        try:
            yield
        except (OSError, BrokenExecutor):
            raise
        except Exception as error:
            self[part] = f"{type(error).__name__}: {error}"
            LOG.warning("the report is without %s (%s)", part, self[part])


def pictures_of(data: FigureData, omitted: Omissions) -> Iterator[Picture]:
    """The pictures that a run has data for, those of all systems first; of a sweep over systems, its curves alone."""
    if any(system in data.run.variants for system in data.run.systems):
        yield from sweep_pictures(data)
        return
    for pictures in PICTURES:
        with omitted.instead_of(pictures.__name__.replace("_", " ")):
            yield from pictures(data)
    for system, pictures in product(data.run.timescales, PICTURES_OF_A_SYSTEM):
        with omitted.instead_of(f"{pictures.__name__.replace('_', ' ')} of {system}"):
            yield from pictures(data, system)
