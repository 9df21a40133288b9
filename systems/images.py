"""Labelled images for classifiers: sets of them, how they are split, and what a learner is given."""

import gzip
import zlib
from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor, nn

LEAST = 10  # images of a part, so that each class may be in it


@dataclass(frozen=True)
class LabelledImages:
    """Images in grey levels, and the class that each belongs to."""

    pixels: UInt8[Tensor, "image channel height width"]
    labels: Int64[Tensor, " image"]

    def __len__(self) -> int:
        return len(self.labels)

    def at(self, index: Int64[np.ndarray, " chosen"]) -> "LabelledImages":
        """The images at these places."""
        places = torch.from_numpy(index)
        return LabelledImages(self.pixels[places], self.labels[places])

    def to(self, device: torch.device | str) -> "LabelledImages":
        return LabelledImages(self.pixels.to(device), self.labels.to(device))


@dataclass(frozen=True)
class ImageSampling:
    """The protocol of a classification: how many images are for what. Each part holds the classes in proportion."""

    train: int = 0  # images to train on; 0: all that are left
    valid: int = 180  # held out of the training images for validation
    test: int = 360  # to be tested on: of the set's own test images if it has some, else of all
    crop: int = 0  # pixels by which a training image is shifted at random, whenever it is used

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            least = LEAST if one.name in ("valid", "test") else 0
            if not isinstance(value, int) or isinstance(value, bool) or value < least:
                raise ValueError(
                    f"ImageSampling.{one.name} must be a whole number of at least {least}, but is {value!r}"
                )


@dataclass(frozen=True)
class ImageSet(ABC):
    """A collection of images with labels, whose dataclass fields say where it is found."""

    classes: ClassVar[int] = 10

    @abstractmethod
    def load(self) -> tuple[LabelledImages, LabelledImages | None]:
        """The images to train on, and those that the set itself keeps for testing, if it does."""


@dataclass(frozen=True)
class Digits(ImageSet):
    """1,797 handwritten digits of 8 x 8 pixels, which come with scikit-learn; nothing is downloaded.

    Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI machine learning repository, 1998.
    """

    def load(self) -> tuple[LabelledImages, LabelledImages | None]:
        from sklearn.datasets import load_digits

        found: Any = load_digits()
        pixels = torch.from_numpy(found.images.astype(np.uint8)).unsqueeze(1)
        return LabelledImages(pixels, torch.from_numpy(found.target.astype(np.int64))), None


@dataclass(frozen=True)
class Torchvision(ImageSet):
    """A set of torchvision's, by the name of the class."""

    # Where images lie does not tell one set from another: cells that one machine has computed hold for the next.
    root: str = field(default="~/.cache/dynamics-bench", compare=False)  # folder that holds, or is to hold, the files
    download: bool = field(default=True, compare=False)  # what is missing there

    def load(self) -> tuple[LabelledImages, LabelledImages | None]:
        from torchvision import datasets

        name = type(self).__name__
        folder = Path(self.root).expanduser()
        raw = folder / name / "raw"
        try:
            for packed in raw.glob("*-ubyte.gz"):
                if not packed.with_suffix("").exists():
                    with suppress(EOFError, zlib.error):  # a part of one, which is downloaded again
                        _unpack(packed, packed.with_suffix(""))
            parts = [
                getattr(datasets, name)(str(folder), train=train, download=self.download) for train in (True, False)
            ]
        except (RuntimeError, OSError) as error:
            kinds = "images-idx3", "labels-idx1"
            files = ", ".join(f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in kinds)
            tried = "and could not be downloaded" if self.download else "and download=False"
            raise FileNotFoundError(
                f"the images of {name} are not in {raw}, {tried} ({error}): put {files} there, packed (.gz) or not"
            ) from error
        train, test = (LabelledImages(each.data.unsqueeze(1), each.targets.to(torch.int64)) for each in parts)
        return train, test


def _unpack(packed: Path, target: Path) -> None:
    """Write what a gzip file holds, all of it or nothing, for others may read it while this is done."""
    with TemporaryDirectory(dir=packed.parent) as folder:
        part = Path(folder) / target.name
        with gzip.open(packed) as source, part.open("wb") as unpacked:
            copyfileobj(source, unpacked)
        part.replace(target)


@dataclass(frozen=True)
class MNIST(Torchvision):
    """70,000 handwritten digits of 28 x 28 pixels, 10,000 of them for testing.

    LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the IEEE 1998.
    """


@dataclass(frozen=True)
class FashionMNIST(Torchvision):
    """70,000 pictures of clothes, of 28 x 28 pixels, 10,000 of them for testing.

    Xiao, Rasul and Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine learning algorithms", 2017.
    """


@dataclass(frozen=True)
class ImageDataset:
    """What one image set, one sampling and one data seed give: the same images for every learner and seed."""

    image_set: ImageSet
    sampling: ImageSampling
    seed: int
    train: LabelledImages
    valid: LabelledImages
    test: LabelledImages

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an image."""
        channels, height, width = self.train.pixels.shape[1:]
        return channels, height, width

    @property
    def levels(self) -> tuple[float, float]:
        """Mean and standard deviation of the grey levels of the training images."""
        counts = torch.bincount(self.train.pixels.flatten(), minlength=256).double().cpu()
        grey = torch.arange(256, dtype=torch.float64)
        mean = float((counts * grey).sum() / counts.sum())
        return mean, float(((counts * (grey - mean) ** 2).sum() / counts.sum()).sqrt())

    def to(self, device: torch.device | str) -> "ImageDataset":
        """The same images on another device; learners fit where their data lie."""
        return replace(self, train=self.train.to(device), valid=self.valid.to(device), test=self.test.to(device))


def sample_images(image_set: ImageSet, sampling: ImageSampling, seed: int) -> ImageDataset:
    """Split an image set: a pure function of its arguments. More training images leave the other parts as they are.

    Raises ValueError where the set has too few images, and FileNotFoundError where its files are not to be had.
    """
    given, kept = image_set.load()
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    order = stratified(given.labels.numpy(), rng)
    own_test = 0 if kept is not None else sampling.test
    held_out = own_test + sampling.valid
    most = 0 if kept is None else len(kept)
    if held_out + max(sampling.train, LEAST) > len(order) or (kept is not None and sampling.test > most):
        raise ValueError(
            f"{image_set} has {len(order)} images to train on and {most} to test on: too few for {sampling}"
        )
    if kept is None:
        test = given.at(order[:own_test])
    else:
        test = kept.at(stratified(kept.labels.numpy(), rng)[: sampling.test])
    valid, train = given.at(order[own_test:held_out]), given.at(order[held_out:][: sampling.train or None])
    return ImageDataset(image_set, sampling, seed, train, valid, test)


def stratified(labels: Int64[np.ndarray, " image"], rng: np.random.Generator) -> Int64[np.ndarray, " image"]:
    """A random order of the images in which every stretch holds the classes in their proportion."""
    places = np.empty(len(labels))
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        places[members] = (np.arange(len(members)) + rng.random(len(members))) / len(members)
    return np.argsort(places)


def random_places(count: int, margin: int, generator: torch.Generator) -> Int64[Tensor, "image 2"]:
    """Row and column, in an image with so wide a margin around it, from which on each of so many images is seen."""
    return torch.randint(0, 2 * margin + 1, (2, count), generator=generator).T


def cropped(
    pixels: UInt8[Tensor, "image channel height width"], margin: int, places: Int64[Tensor, "image 2"]
) -> UInt8[Tensor, "image channel height width"]:
    """Every image shifted by up to `margin` pixels each way, zeros moving in: seen from its place on."""
    count, _, height, width = pixels.shape
    down, right = places.T.unsqueeze(-1)
    rows, columns = (
        start + torch.arange(size, device=pixels.device) for start, size in ((down, height), (right, width))
    )
    padded = nn.functional.pad(pixels, [margin] * 4)
    image = torch.arange(count, device=pixels.device)
    return padded[image[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()


def standardised(
    pixels: UInt8[Tensor, "image channel height width"], levels: tuple[float, float]
) -> Float32[Tensor, "image channel height width"]:
    """Grey levels in units of the training images' standard deviation about their mean."""
    mean, std = levels
    return (pixels.float() - mean) / std
