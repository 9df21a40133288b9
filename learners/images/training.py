"""Training of image networks: augmented minibatches, the cross-entropy, and how a network computes."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from learners.base import Budget, TrainingLog, Unsuitable
from learners.images.networks import ImageNetwork
from learners.streams import stream
from learners.training.loop import Training, run_updates
from learners.training.training_step import TrainingStep, descent
from systems.images import ImageDataset, cropped, random_places, standardised

Minibatch = Int64[Tensor, "1 batch numbers"]  # the index of an image, and from where on it is seen in its margin

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
    learning curve up to there. Raises Unsuitable where training asks for least squares.
    """
    if training.optimiser == "levenberg-marquardt":
        raise Unsuitable(
            'training.optimiser="levenberg-marquardt" minimises squared errors, but classifiers the cross-entropy: '
            'choose "adam" or "soap"'
        )
    network.train()
    train = dataset.train
    levels = dataset.levels
    parameters = list(network.parameters())
    margin = dataset.sampling.crop

    def objective(minibatch: Minibatch) -> Float[Tensor, " seed"]:
        indices, places = minibatch[0, :, 0], minibatch[0, :, 1:]
        pixels = train.pixels[indices]
        if margin:
            pixels = cropped(pixels, margin, places)
        with form.autocast(pixels.device):
            logits = network(form.place(pixels, levels))
        return nn.functional.cross_entropy(logits.float(), train.labels[indices]).unsqueeze(0)

    step = TrainingStep(
        network,
        objective,
        partial(_minibatches, train.labels, training.batch, margin, seed),
        descent(parameters, training.optimiser, training.learning_rate, stacked=False),
        partial(nn.utils.clip_grad_norm_, parameters, training.clip),
        network.counted,
        partial(_validation_losses, network, dataset, form, levels),
        [value.unsqueeze(0) for value in network.state_dict().values()],
    )
    (log,) = run_updates(step, training, budget, count_flops=False)
    return log


def _minibatches(
    labels: Int64[Tensor, " image"], batch: int, margin: int, seed: int, updates: int
) -> Iterator[Minibatch]:
    """Numbers and crops of images (one seed, image, 1 or 3), every epoch in a new order, without what is left over.

    Nothing is drawn in an update.
    """
    order, crops = stream(seed, "minibatches"), stream(seed, "crops")
    batch = min(batch, len(labels))
    whole = len(labels) // batch * batch
    while True:
        for indices in torch.randperm(len(labels), generator=order)[:whole].split(batch):
            if updates == 0:
                return
            drawn = torch.cat([indices.unsqueeze(1), random_places(batch, margin, crops)], dim=1)
            yield drawn.unsqueeze(0).to(labels.device, non_blocking=True)
            updates -= 1


def _validation_losses(
    network: nn.Module, dataset: ImageDataset, form: Format, levels: tuple[float, float]
) -> Float[Tensor, " seed"]:
    """The mean cross-entropy of the validation images, with the network as it is when it classifies."""
    total = 0.0
    valid = dataset.valid
    network.eval()
    for pixels, labels in zip(valid.pixels.split(CHUNK), valid.labels.split(CHUNK), strict=True):
        with form.autocast(pixels.device):
            logits = network(form.place(pixels, levels))
        total += float(nn.functional.cross_entropy(logits.float(), labels, reduction="sum"))
    network.train()
    return torch.tensor([total / len(valid)], dtype=torch.float64, device=valid.labels.device)
