"""Image sets: how they are split, shifted and standardised, and what is said where their files are missing."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from systems import MNIST, Digits, FashionMNIST, ImageSampling, ImageSet, sample_images
from systems.images import LabelledImages, cropped, random_places, standardised, stratified

FILES = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
REAL = Path(os.environ.get("DYNAMICS_BENCH_MNIST", Path(__file__).parents[3] / "shared" / "data" / "mnist"))


@dataclass(frozen=True)
class Numbered(ImageSet):
    """Images that are told apart by their one pixel; the set keeps some for testing."""

    def load(self) -> tuple[LabelledImages, LabelledImages | None]:
        return numbered(0, 100), numbered(100, 50)


def numbered(first: int, count: int) -> LabelledImages:
    pixels = torch.arange(first, first + count).to(torch.uint8).view(-1, 1, 1, 1)
    return LabelledImages(pixels, torch.arange(count) % 10)


def pixels(images: LabelledImages) -> list[int]:
    return images.pixels.flatten().tolist()


def test_digits_come_without_a_download():
    data = sample_images(Digits(), ImageSampling(), 0)
    assert data.shape == (1, 8, 8)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [1797 - 540, 180, 360]
    assert int(data.train.pixels.max()) == 16
    assert data.train.labels.dtype == torch.int64


def test_a_split_is_the_same_every_time_and_another_for_another_seed():
    one, again, other = (sample_images(Digits(), ImageSampling(), seed) for seed in (3, 3, 4))
    assert torch.equal(one.train.pixels, again.train.pixels)
    assert torch.equal(one.test.labels, again.test.labels)
    assert not torch.equal(one.test.pixels, other.test.pixels)


def test_no_image_is_in_two_parts_and_the_sets_own_test_images_are_for_testing_only():
    data = sample_images(Numbered(), ImageSampling(valid=20, test=30), 0)
    assert sorted([*pixels(data.train), *pixels(data.valid)]) == list(range(100))
    assert len(set(pixels(data.test))) == 30
    assert min(pixels(data.test)) >= 100


def test_more_training_images_leave_the_other_parts_as_they_are():
    few, many = (sample_images(Digits(), ImageSampling(train=count), 0) for count in (100, 1000))
    assert torch.equal(few.test.pixels, many.test.pixels)
    assert torch.equal(few.valid.pixels, many.valid.pixels)
    assert torch.equal(few.train.pixels, many.train.pixels[:100])


def test_every_part_holds_the_classes_in_proportion():
    data = sample_images(Digits(), ImageSampling(train=200), 0)
    shares = np.bincount(Digits().load()[0].labels, minlength=10) / 1797
    for part in (data.train, data.valid, data.test):
        assert np.abs(np.bincount(part.labels, minlength=10) - shares * len(part)).max() <= 2


def test_a_stratified_order_holds_every_image_once():
    labels = np.repeat([0, 1], [90, 10])
    order = stratified(labels, np.random.default_rng(0))
    assert sorted(order) == list(range(100))
    assert [int(labels[part].sum()) for part in np.split(order, 5)] == [2] * 5


@pytest.mark.parametrize(
    "sampling",
    [ImageSampling(valid=91, test=30), ImageSampling(valid=10, test=60), ImageSampling(91, 10, 10)],
    ids=repr,
)
def test_too_few_images_are_named(sampling):
    with pytest.raises(
        ValueError, match=r"Numbered\(\) has 100 images to train on and 50 to test on: too few for Image"
    ):
        sample_images(Numbered(), sampling, 0)


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"valid": 9}, "ImageSampling.valid must be a whole number of at least 10, but is 9"),
        ({"train": -1}, "ImageSampling.train must be a whole number of at least 0, but is -1"),
        ({"crop": 1.5}, "ImageSampling.crop must be a whole number of at least 0, but is 1.5"),
        ({"test": True}, "ImageSampling.test must be a whole number of at least 10, but is True"),
    ],
)
def test_a_protocol_that_cannot_be_followed_is_refused(values, complaint):
    with pytest.raises(ValueError, match=complaint):
        ImageSampling(**values)


def test_grey_levels_of_training_images_have_mean_0_and_deviation_1():
    data = sample_images(Digits(), ImageSampling(), 0)
    x = standardised(data.train.pixels, data.levels).double()
    assert float(x.mean()) == pytest.approx(0, abs=1e-6)
    assert float(x.std(correction=0)) == pytest.approx(1, abs=1e-6)


def test_a_random_crop_shifts_every_image_by_up_to_the_margin():
    images = torch.zeros(200, 2, 7, 7, dtype=torch.uint8)
    images[:, 0, 3, 3], images[:, 1, 3, 3] = 9, 5
    starts = random_places(200, 2, torch.Generator().manual_seed(0))
    seen = cropped(images, 2, starts)
    assert seen.shape == images.shape
    assert seen.flatten(2).sum(-1).tolist() == [[9, 5]] * 200
    places = seen[:, 0].nonzero()[:, 1:]
    assert torch.equal(places, seen[:, 1].nonzero()[:, 1:])
    assert torch.equal(places, 3 + 2 - starts)
    assert {int(value) for value in places.flatten()} == {1, 2, 3, 4, 5}


def test_a_crop_without_a_margin_changes_nothing():
    images = Digits().load()[0].pixels[:10]
    assert torch.equal(cropped(images, 0, random_places(10, 0, torch.Generator())), images)


def test_files_that_are_not_there_are_named_with_their_folder(tmp_path):
    with pytest.raises(FileNotFoundError) as missing:
        MNIST(str(tmp_path), download=False).load()
    assert f"the images of MNIST are not in {tmp_path / 'MNIST' / 'raw'}, and download=False" in str(missing.value)
    assert f"put {', '.join(FILES)} there, packed (.gz) or not" in str(missing.value)


def test_without_a_network_the_folder_for_the_files_is_named(tmp_path, monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", unreachable)
    with pytest.raises(FileNotFoundError) as missing:
        FashionMNIST(str(tmp_path)).load()
    assert f"are not in {tmp_path / 'FashionMNIST' / 'raw'}, and could not be downloaded (" in str(missing.value)


def test_files_are_read_packed_as_they_are_published(tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in FILES:
        shape = (3, 2, 2) if "images" in name else (3,)
        content = bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4) for size in shape) + bytes(np.prod(shape))
        (raw / f"{name}.gz").write_bytes(gzip.compress(content))
    train, test = MNIST(str(tmp_path), download=False).load()
    assert test is not None
    assert [part.pixels.shape for part in (train, test)] == [(3, 1, 2, 2)] * 2
    assert {path.name for path in raw.iterdir()} == {*FILES, *(f"{name}.gz" for name in FILES)}


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the files of MNIST are not in {REAL} (DYNAMICS_BENCH_MNIST)")
def test_real_files_are_read(tmp_path):
    folder = tmp_path / "MNIST" / "raw"
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / f"{name}.gz").write_bytes((REAL / f"{name}.gz").read_bytes())
    data = sample_images(MNIST(str(tmp_path), download=False), ImageSampling(valid=1000, test=10_000), 0)
    assert [len(part) for part in (data.train, data.valid, data.test)] == [59_000, 1_000, 10_000]
    assert data.shape == (1, 28, 28)
    assert [round(level / 255, 3) for level in data.levels] == [0.131, 0.308]
    assert np.bincount(data.test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
