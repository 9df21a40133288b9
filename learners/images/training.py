"""The training loop of image networks: Adam, a one-cycle schedule, clipping, the best weights on validation images."""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from math import inf, isfinite
from time import perf_counter

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from learners.base import Budget, CurvePoint, Failure, SolverError, TrainingLog
from learners.images.networks import ImageNetwork
from learners.streams import stream
from learners.training.counting import Tally, counting, keeping
from learners.training.loop import Training
from systems.images import ImageDataset, random_crop, standardised

CHUNK = 512  # images that are classified at a time


@dataclass(frozen=True)
class Format:
    """How a network computes: in bfloat16 where that is safe, with the channels of an image next to each other."""

    mixed_precision: bool = False
    channels_last: bool = False

    def place(self, pixels: Tensor, levels: tuple[float, float]) -> Float[Tensor, "image channel height width"]:
        """What the network is given for grey levels."""
        x = standardised(pixels, levels)
        return x.contiguous(memory_format=torch.channels_last) if self.channels_last else x

    def autocast(self, device: torch.device) -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=self.mixed_precision)


def train_classifier(
    network: ImageNetwork, dataset: ImageDataset, training: Training, form: Format, budget: Budget, seed: int
) -> TrainingLog:
    """Train a network in place and leave it at its best weights on the validation images.

    Losses are cross-entropies. A loss that is never finite, or a solver that fails, is reported in the log, with the
    learning curve up to there.
    """
    run = _Run(network, dataset, training, form, seed)
    updates = budget.updates(training.updates)
    every = max(1, updates // training.validations)
    with counting(network.counted) as run.tally:
        try:
            for update, places in enumerate(run.batches(updates), 1):
                run.update(places, training.rate((update - 1) / updates))
                if (update % every == 0 or update == updates) and run.validate():
                    break
        except SolverError as failure:
            run.give_up(f"{failure} in update {run.updates + 1} of {updates}")
    network.load_state_dict(run.best_weights)
    return run.log()


@torch.no_grad()
def cross_entropy(network: nn.Module, dataset: ImageDataset, form: Format, levels: tuple[float, float]) -> float:
    """Mean over the validation images, with the network as it is when it classifies."""
    total, valid = 0.0, dataset.valid
    network.eval()
    for pixels, labels in zip(valid.pixels.split(CHUNK), valid.labels.split(CHUNK), strict=True):
        with form.autocast(pixels.device):
            logits = network(form.place(pixels, levels))
        total += float(nn.functional.cross_entropy(logits.float(), labels, reduction="sum"))
    network.train()
    return total / len(valid)


@contextmanager
def solver_failures() -> Iterator[None]:
    """Raise the assertions of torchdiffeq, which an adjoint's backward pass lets through, as SolverError."""
    try:
        yield
    except AssertionError as failure:
        raise SolverError(f"the adjoint equation could not be solved: {failure}") from failure


class _Run:
    """The state of one training run."""

    def __init__(
        self, network: ImageNetwork, dataset: ImageDataset, training: Training, form: Format, seed: int
    ) -> None:
        self.network, self.dataset, self.training, self.form = network.train(), dataset, training, form
        self.levels = dataset.levels
        self.parameters = list(network.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=training.learning_rate, fused=True)
        self.order, self.crops = stream(seed, "minibatches"), stream(seed, "crops")
        self.best_loss, self.best_weights, self.stale = inf, deepcopy(network.state_dict()), 0
        self.tally = Tally()
        self.unmeasured = True  # whether the bytes of the next update are still to be measured
        self.updates, self.forward, self.backward, self.saved, self.failure = 0, 0, 0, 0, ""
        self.recent = torch.zeros((), device=dataset.train.labels.device)  # sum of the losses since the last point
        self.noted = (0, 0, 0)  # updates and evaluations at the last point
        self.curve: list[CurvePoint] = []
        self.begun = perf_counter()

    def batches(self, updates: int) -> Iterator[Int64[Tensor, " batch"]]:
        """Places of images: every epoch in a new order, without what is left over at its end."""
        count, batch = len(self.dataset.train), min(self.training.batch, len(self.dataset.train))
        while True:
            for places in torch.randperm(count, generator=self.order).split(batch):
                if len(places) == batch:
                    if updates == 0:
                        return
                    yield places.to(self.dataset.train.labels.device)
                    updates -= 1

    def update(self, places: Int64[Tensor, " batch"], rate: float) -> None:
        """One step of Adam."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        if not self.unmeasured:
            loss = self._loss(places)
        else:
            loss, kept = keeping(lambda: self._loss(places), self.parameters)
            self.saved, self.unmeasured = max(self.saved, kept), False
        spent = self.tally.take()
        with solver_failures():
            loss.backward()
        self.forward += spent
        self.backward += self.tally.take() or spent  # without an adjoint, every evaluation is differentiated once
        nn.utils.clip_grad_norm_(self.parameters, self.training.clip)
        self.optimiser.step()
        self.recent += loss.detach()
        self.updates += 1

    def validate(self) -> bool:
        """Note a point of the learning curve and keep what improved; true where training should end."""
        loss = cross_entropy(self.network, self.dataset, self.form, self.levels)
        self.tally.take()
        self._note(loss)
        self.unmeasured = True
        self.stale += 1
        if loss < self.best_loss:
            self.best_loss, self.best_weights, self.stale = loss, deepcopy(self.network.state_dict()), 0
        return not isfinite(loss) or 0 < self.training.patience <= self.stale

    def give_up(self, failure: str) -> None:
        """Keep what has been counted since the last point."""
        self.failure = failure
        if self.updates > self.noted[0]:
            self._note(inf)

    def log(self) -> TrainingLog:
        count = max(1, self.updates)
        return TrainingLog(
            updates=self.updates,
            fit_seconds=perf_counter() - self.begun,
            nfe_forward=self.forward / count,
            nfe_backward=self.backward / count,
            saved_bytes=self.saved,
            curve=tuple(self.curve),
            failure=self._failure(),
        )

    def _loss(self, places: Int64[Tensor, " batch"]) -> Float[Tensor, ""]:
        train, crop = self.dataset.train, self.dataset.sampling.crop
        pixels = train.pixels[places]
        if crop:
            pixels = random_crop(pixels, crop, self.crops)
        with self.form.autocast(pixels.device):
            logits = self.network(self.form.place(pixels, self.levels))
        return nn.functional.cross_entropy(logits.float(), train.labels[places])

    def _note(self, valid_loss: float) -> None:
        updates, forward, backward = self.noted
        span, seconds = self.updates - updates, perf_counter() - self.begun
        spent = (self.forward - forward) / span, (self.backward - backward) / span
        self.curve.append(CurvePoint(self.updates, float(self.recent) / span, valid_loss, seconds, *spent))
        self.noted = self.updates, self.forward, self.backward
        self.recent.zero_()

    def _failure(self) -> Failure | None:
        if self.failure:
            return Failure("solver_failed", self.failure)
        if not isfinite(self.best_loss):
            return Failure("diverged", f"the validation loss was never finite in {self.updates} updates")
        return None
