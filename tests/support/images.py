"""Small images, classifiers that are trained on them in no time, and the textbook's field of continuous depth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from learners import MLPClassifier, Training
from learners.images.networks import ConvolutionalField, normalisation
from systems import ImageSampling, ImageSet
from systems.images import LabelledImages

SHORT = Training(updates=6, batch=16, learning_rate=1e-2, validations=3)
SAMPLING = ImageSampling(valid=20, test=20)


@dataclass(frozen=True)
class Stripes(ImageSet):
    """Noisy 8 x 8 images of ten classes: which row of which half is bright."""

    count: int = 120

    def load(self) -> tuple[LabelledImages, LabelledImages | None]:
        rng = np.random.default_rng(0)
        labels, pixels = np.arange(self.count) % 10, rng.integers(0, 60, (self.count, 1, 8, 8))
        for image, label in enumerate(labels):
            half = slice(0, 4) if label < 5 else slice(4, 8)
            pixels[image, 0, label % 5, half] = 250
        return LabelledImages(torch.from_numpy(pixels.astype(np.uint8)), torch.from_numpy(labels)), None


def small(kind: type, **settings: Any) -> Any:
    """A classifier of 8 feature maps, briefly trained."""
    return kind(**({} if kind is MLPClassifier else {"width": 8}), training=SHORT, **settings)


class ConcatenatedTime(nn.Module):
    """The textbook's field: before each convolution, the time is written into a further channel."""

    def __init__(self, field: ConvolutionalField, width: int) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(nn.Conv2d(width + 1, width, 3, padding=1) for _ in range(2))
        self.norms = nn.ModuleList(normalisation("group", width) for _ in range(2))
        for mine, its in zip(self.convolutions, field.convolutions, strict=True):
            weights = its.state_dict()
            together = torch.cat([weights["time_weight"], weights["weight"]], dim=1)
            mine.load_state_dict({"weight": together, "bias": weights["bias"]})

    def forward(self, t: Tensor, x: Tensor) -> Tensor:
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(torch.relu(convolution(torch.cat([torch.ones_like(x[:, :1]) * t, x], dim=1))))
        return x
