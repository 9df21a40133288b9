"""Processes that share the cores with one another."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from results.processes import end_with_parent


def pool_of_workers(count: int) -> ProcessPoolExecutor:
    """A pool of so many processes, each with one thread, which would slow the others down if it had more.

    They import what they need by themselves, and none of them outlives a program that is killed.
    """
    return ProcessPoolExecutor(count, get_context("spawn"), _use_one_thread)


def _use_one_thread() -> None:
    import torch

    end_with_parent()
    torch.set_num_threads(1)
