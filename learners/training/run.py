"""The state of one training run of a stack of replicas: what it has counted, kept and found so far."""

import sys
from collections.abc import Callable
from functools import partial
from math import inf, isfinite, nan
from statistics import mean
from time import perf_counter
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from learners.base import Budget, CurvePoint, Failure, Selection, SolverError, TrainingLog
from learners.training.best import Best, Kept
from learners.training.counting import Tally, counting_flops, keeping
from learners.training.cuda_graph import GraphedUpdates
from learners.training.levenberg_marquardt import LevenbergMarquardt
from learners.training.training_step import CompiledUpdates, TrainingStep

Result = TypeVar("Result")

REPLAYING = ("cuda",)  # devices that are given an update as a graph

PROBES = 8  # minibatches whose cost plans training; in their second half segments have their full length


class TrainingRun:
    """The state of one training run of a stack of replicas."""

    def __init__(
        self, step: TrainingStep, solver: LevenbergMarquardt | None, count_flops: bool, keep: Kept = "best"
    ) -> None:
        self.step, self.solver, self.count_flops = step, solver, count_flops
        self.compiled: CompiledUpdates | None = None
        self.costs: dict[tuple[torch.Size, tuple[int, int] | None], tuple[int, int, int]] = {}  # of compiled updates
        self.parameters = list(step.network.parameters())
        self.forecasts = step.validation_errors
        self.seeds = len(step.weights[0])
        self.best = Best(step.weights, keep)
        self.recent = torch.zeros_like(self.best.loss)  # sum of the losses since the last point of the curve
        self.tally = Tally()
        self.graphed: GraphedUpdates | None = None
        self.repeatable = step.weights[0].device.type in REPLAYING
        self.unmeasured = True  # whether the bytes and operations of the next update are still to be measured
        self.flops: list[int] = []  # of the measured updates
        self.updates = 0
        self.samples = 0
        self.forward = torch.zeros(self.seeds, dtype=torch.float64)
        self.backward = torch.zeros_like(self.forward)
        self.saved = 0
        self.kept = 0
        # Updates and evaluations at the last point of the curve.
        self.last_point = 0, self.forward.clone(), self.backward.clone()
        self.curves: list[list[CurvePoint]] = [[] for _ in range(self.seeds)]
        self.ended: dict[int, TrainingLog] = {}  # of the replicas whose training has ended
        self.begun = perf_counter()

    def start(self) -> None:
        """Begin to count the time, once updates are compiled, if these can be."""
        if self.solver is None:
            self.compiled = self.step.compiled()
        self.begun = perf_counter()

    @property
    def seconds(self) -> float:
        """For each replica: the time of the stack is shared out evenly."""
        return (perf_counter() - self.begun) / self.seeds

    def spent(self, budget: Budget) -> float:
        """The share of what all learners may spend alike; 0 where that is updates, or nothing is equal."""
        if budget.equal not in ("nfe", "seconds"):
            return 0.0
        spent = self.seconds if budget.equal == "seconds" else float((self.forward + self.backward).max())
        return spent / (budget.allowance * budget.effort)

    def affordable(self, budget: Budget, standard: int) -> int:
        """How many updates the budget pays for, or the standard number where they spend nothing of it.

        They cost what those on minibatches of full length do, less where evaluations say that some are shorter.
        """
        shares, evaluations = [], []
        for minibatch in self.step.minibatches(PROBES):
            self.forward, self.backward = torch.zeros_like(self.forward), torch.zeros_like(self.backward)
            self.begun = perf_counter()
            self._gradients(minibatch)
            if budget.equal == "seconds":  # which some optimisers spend more of than gradients do
                self._descend(0.0)
            shares.append(self.spent(budget))
            evaluations.append(float(self.forward.max()))
            self.step.optimiser.zero_grad(set_to_none=True)
        self.step.optimiser.state.clear()
        self.start()
        self.forward, self.backward = torch.zeros_like(self.forward), torch.zeros_like(self.backward)
        cost = min(shares[PROBES // 2 :])
        of_all = mean(evaluations)
        of_full = mean(evaluations[PROBES // 2 :])
        return max(1, round(1 / (cost * (of_all / of_full if of_full else 1)))) if cost else standard

    def update(self, minibatch: Tensor, rate: float) -> None:
        """Update the weights of every replica."""
        if self.solver is not None:
            self._solve(self.solver, minibatch)
        elif not self._replay(minibatch, rate):
            if self.compiled is None:
                self.recent += self._count_flops(partial(self._gradients, minibatch))
            else:
                self.recent += self._gradients(minibatch)
                if self.unmeasured and self.count_flops:
                    self.flops.append(self._eager_costs(minibatch)[-1])
            self._descend(rate)
        self.unmeasured = False
        self.updates += 1
        self.samples += minibatch[..., 0].numel() // self.seeds

    def _solve(self, solver: LevenbergMarquardt, minibatch: Tensor) -> None:
        """An update by the solver, whose costs are counted."""
        step = self._count_flops(partial(solver.step, minibatch))
        evaluations = self.tally.take() / step.passes  # in one pass over the minibatch
        self.forward += (evaluations * (1 + step.trials.cpu())).round()
        self.backward += round(evaluations * step.outputs)
        self.saved = max(self.saved, step.saved)
        self.kept = self.saved
        self.recent += step.losses

    def _replay(self, minibatch: Tensor, rate: float) -> bool:
        """Update by a graph, on a GPU; false where costs are to be measured, or no graph repeats updates.

        Why none does is written to the error stream.
        """
        if self.unmeasured or not self.repeatable:
            return False
        self.graphed = self.graphed or GraphedUpdates(self.step, self.tally)
        try:
            found = self.graphed.update(minibatch, rate)
        except RuntimeError as error:
            self.repeatable = False
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            sys.stderr.write(f"updates are launched one by one: {reason}\n")
            return False
        self.recent += found.losses
        self.forward += found.forward
        self.backward += found.backward
        return True

    def _gradients(self, minibatch: Tensor) -> Float[Tensor, " seed"]:
        """The losses, with gradients for a descent, whose costs are counted."""
        if self.compiled is None:
            self.step.optimiser.zero_grad(set_to_none=True)
            return self._differentiate(minibatch)
        losses = self.compiled.differentiate(minibatch)
        spent = self.compiled.evaluations
        if spent is None or self.unmeasured:
            evaluations, saved, _ = self._eager_costs(minibatch)
            spent = spent or (evaluations, evaluations)
            self.saved = max(self.saved, saved)
        self.forward += spent[0]
        self.backward += spent[1]
        self.kept = max(self.kept, self.compiled.kept_bytes)
        return losses

    def _descend(self, rate: float) -> None:
        if self.compiled is not None:
            self.compiled.descend(rate)
            return
        for group in self.step.optimiser.param_groups:
            group["lr"] = rate
        self.step.clip()
        self.step.optimiser.step()

    def _eager_costs(self, minibatch: Tensor) -> tuple[int, int, int]:
        """What an eager gradient takes: evaluations on its way forward, bytes that autograd keeps, and operations.

        It is taken once for minibatches of one shape on which compiled updates spent as many evaluations.
        """
        assert self.compiled

        def differentiate() -> tuple[int, int]:
            losses, saved = keeping(partial(self.step.objective, minibatch), self.parameters)
            forward = self.tally.take()
            _backward(losses)
            return forward, saved

        key = minibatch.shape, self.compiled.evaluations
        if key not in self.costs:
            (forward, saved), flops = counting_flops(differentiate)
            self.costs[key] = forward, saved, flops
            self.tally.take()
            self.step.optimiser.zero_grad(set_to_none=True)
        return self.costs[key]

    def _count_flops(self, run: Callable[[], Result]) -> Result:
        if not (self.unmeasured and self.count_flops):
            return run()
        result, flops = counting_flops(run)
        self.flops.append(flops)
        return result

    def _differentiate(self, minibatch: Tensor) -> Float[Tensor, " seed"]:
        """The losses, after a forward and a backward pass whose evaluations are counted."""
        if self.unmeasured:
            losses, kept = keeping(partial(self.step.objective, minibatch), self.parameters)
            self.saved = self.kept = max(self.saved, kept)
        else:
            losses = self.step.objective(minibatch)
        spent = self.tally.take()
        _backward(losses)
        self.forward += spent
        self.backward += self.tally.take() or spent  # without an adjoint, every evaluation is differentiated once
        return losses.detach()

    def validate(self, patience: int) -> bool:
        """Add a point to the learning curves and keep what improved; true where training has ended for every replica.

        It ends for a replica, whose weights, log and curve then stay as they are while others go on, where its loss is
        not finite or its patience is spent: a seed in a stack is the seed alone.
        """
        with torch.no_grad():
            losses = self.step.validation_losses()
            errors = torch.full_like(losses, nan) if self.forecasts is None else self.forecasts()
        self.tally.take()
        ended = torch.tensor(list(self.ended), dtype=torch.int64, device=losses.device)
        self.best.offer(losses if self.forecasts is None else errors, losses.index_fill(0, ended, inf))
        self._add_point(losses, errors)
        self.unmeasured = True
        spent = self.best.stale >= patience if patience else torch.zeros_like(self.best.stale, dtype=torch.bool)
        for replica in (spent | ~losses.isfinite()).nonzero().flatten().tolist():
            self.ended.setdefault(replica, self._log(replica))
        return len(self.ended) == self.seeds

    def give_up(self, reason: str) -> None:
        """End with a failure, and keep what has been counted since the last point of the learning curve."""
        if self.updates > self.last_point[0]:
            self._add_point(torch.full_like(self.recent, inf), torch.full_like(self.recent, inf))
        for replica in range(self.seeds):
            self.ended.setdefault(replica, self._log(replica, Failure("solver_failed", reason)))

    def logs(self) -> list[TrainingLog]:
        """One log for each replica."""
        return [self.ended[replica] if replica in self.ended else self._log(replica) for replica in range(self.seeds)]

    def _add_point(self, losses: Float[Tensor, " seed"], errors: Float[Tensor, " seed"]) -> None:
        updates, forward, backward = self.last_point
        span = self.updates - updates
        spent = (self.forward - forward) / span, (self.backward - backward) / span
        columns = (column.tolist() for column in (self.recent / span, losses, *spent, errors))
        for replica, (curve, train, valid, ahead, back, error) in enumerate(zip(self.curves, *columns, strict=True)):
            if replica not in self.ended:
                curve.append(CurvePoint(self.updates, train, valid, self.seconds, ahead, back, valid_error=error))
        self.last_point = self.updates, self.forward.clone(), self.backward.clone()
        self.recent.zero_()

    @property
    def _selection(self) -> Selection:
        if self.best.keep == "last":
            return ""
        return "validation loss" if self.forecasts is None else "validation forecasts"

    def _log(self, replica: int, failure: Failure | None = None) -> TrainingLog:
        count = max(1, self.updates)
        if failure is None and not isfinite(self.best.loss[replica]):
            failure = Failure("diverged", f"the validation loss was never finite in {self.updates} updates")
        return TrainingLog(
            updates=self.updates,
            fit_seconds=self.seconds,
            nfe_forward=float(self.forward[replica]) / count,
            nfe_backward=float(self.backward[replica]) / count,
            saved_bytes=self.saved // self.seeds,
            kept_bytes=self.kept // self.seeds,
            flops=sum(self.flops) / len(self.flops) / self.seeds if self.flops else nan,
            samples=self.samples,
            together=self.seeds,
            selection=self._selection,
            curve=tuple(self.curves[replica]),
            failure=failure,
        )


def _backward(losses: Float[Tensor, " seed"]) -> None:
    try:
        losses.sum().backward()
    except AssertionError as failure:  # torchdiffeq's, in the backward pass of an adjoint
        raise SolverError(f"the adjoint equation could not be solved: {failure}") from failure
