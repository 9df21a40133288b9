"""What learners take for an update and for a forecast step: times, memory, launches, and how they grow."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, fields, replace
from itertools import product
from math import isfinite
from pathlib import Path
from statistics import median_low
from typing import Any

import torch

from bench.cells.cell import Cell
from bench.cells.data import dataset
from bench.errors import UserError
from bench.machine.environment import environment
from bench.machine.meter import meter
from bench.timing import stopwatch
from bench.timing.updates import InapplicableError, Updates
from learners import Classifier, Learner, Unsuitable
from systems import Dataset, ImageDataset, Sampling, sample_images
from systems.configuration import short_labels

FORM = 1  # of the JSON
FACTORS = (0.25, 1.0, 4.0)  # by which the width, the blocks and the lookahead are changed
BATCHES = {"cpu": FACTORS, "cuda": (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)}  # of the batch: a GPU is full much later
SEEDS = {"cpu": (1, 2, 4, 8), "cuda": (1, 2, 4, 8, 16, 32, 64)}
# Settings that are changed, and as what.
AXES = {"width": "width", "hidden": "width", "blocks": "blocks", "lookahead": "lookahead"}
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}
PARTS = ("forward", "backward", "descent")  # of an update; the last is the clip of the gradients and the optimiser
CUT_SHORT = "interrupted"  # the reason why measurements end early
LONGEST = 0.2  # seconds of an update beyond which no larger one is measured
VARIANTS = ("eager", "compiled", "graph", "kernel")


def time_learners(
    cell: Cell[Any, Any, Any],
    learners: Sequence[Learner | Classifier],
    about: Mapping[str, Any],
    folder: Path,
    **how: Any,
) -> dict[str, Any]:
    """Measure learners on the data of a cell, which are kept in a folder. Raises UserError where there are none.

    `about` has the suite, the threads of each operation, and what else to report; `how` are fields of Timing.
    """
    data = _read(cell, folder).to(cell.device)
    counted = "images" if isinstance(data, ImageDataset) else "forecasts"
    with stopwatch.threads(about["threads"]):
        return Timing(data, cell.device, **how).report(learners, {**about, counted: len(data.test)})


def _read(cell: Cell[Any, Any, Any], folder: Path) -> Dataset | ImageDataset:
    if isinstance(cell.sampling, Sampling):
        return brief_dataset(cell, folder)
    try:
        return sample_images(cell.system, cell.sampling, cell.data_seed)
    except FileNotFoundError as error:
        raise UserError(str(error)) from error


def brief_dataset(cell: Cell[Any, Any, Any], folder: Path) -> Dataset:
    """The data of a cell of forecasts, with those no longer than a timing needs."""
    step = cell.sampling.step
    return dataset(
        cell.system, replace(cell.sampling, climate=1, climate_horizon=step, horizon=2 * step), cell.data_seed, folder
    )


@dataclass
class Timing:
    """Measures a suite's learners on one dataset. What cannot be measured is noted with its reason."""

    data: Dataset | ImageDataset
    device: str
    seconds: float  # of each measurement
    variants: Sequence[str] = VARIANTS
    precisions: Sequence[str] = ("float32",)
    batches: Sequence[int] = ()  # in place of multiples of each learner's own
    notify: Callable[[str], None] = print  # is told what is being measured
    ceilings: dict[str, dict[str, float]] = field(default_factory=dict, init=False)  # by precision
    times: list[dict[str, Any]] = field(default_factory=list, init=False)
    costs: list[dict[str, Any]] = field(default_factory=list, init=False)
    skipped: list[dict[str, str]] = field(default_factory=list, init=False)

    def report(self, learners: Sequence[Learner | Classifier], about: Mapping[str, Any]) -> dict[str, Any]:
        """Measure everything; the measurements and what they are `about` as JSON-ready values."""
        named = dict(zip(short_labels(learners), learners, strict=True))
        try:
            self._measure_all(named)
        except KeyboardInterrupt:
            self.skipped.append({"learner": "", "what": "all that follows", "reason": CUT_SHORT})
        surroundings = environment(self.device, torch.get_num_threads())
        surroundings["git"].pop("diff", None)
        found = {"learners": list(named), "times": self.times, "costs": self.costs, "skipped": self.skipped}
        about = {"kind": "timing", "form": FORM, **about, "ceilings": self.ceilings}
        return {**about, **found, "environment": surroundings}

    def _measure_all(self, named: Mapping[str, Learner | Classifier]) -> None:
        """Measure ceilings, learners in every precision and variant, and how their updates grow."""
        for precision in self.precisions:
            self.notify(f"ceilings in {precision}")
            with self._note_failure("", precision), self._compute_in(precision):
                self.ceilings[precision] = stopwatch.ceilings(self.device, DTYPES[precision], self.seconds)
            if precision not in self.ceilings:
                continue
            for (name, learner), variant in product(named.items(), self.variants):
                self.notify(f"{name}, {precision}, {variant}")
                self._measure(learner, {"learner": name, "variant": variant, "precision": precision})
        for name, learner in named.items():
            self.notify(f"{name}, scaling")
            self._measure_growth(name, learner)

    def _measure_growth(self, name: str, learner: Learner | Classifier) -> None:
        """Add times of updates of a learner with one thing changed, by a graph where that was asked for and can be."""
        seen: set[tuple[str, int]] = set()
        ends: dict[str, str] = {}  # axes that are followed no further, and why
        for axis, value, varied, seeds in self._varied(learner):
            with self._note_failure(name, f"{axis} {value}"):
                if axis in ends:
                    raise InapplicableError(ends[axis])
                updates = Updates.of(varied, self.data, seeds)
                place = axis, updates.samples if axis == "batch" and updates.steps else value
                if not updates.steps or place in seen:  # there are no more segments than so many
                    continue
                seen.add(place)
                variant, update = self._fastest(updates)
                taken = stopwatch.time_call(update, self.device, self.seconds / 4)
                if (second := median_low(taken)) > LONGEST:
                    ends[axis] = f"an update takes {second:.2g} s with {place[1]} already"
                about = {"learner": name, "axis": axis, "value": place[1], "variant": variant}
                self.times.append(about | {"precision": "float32", "part": "update", "times": taken})

    def _fastest(self, updates: Updates) -> tuple[str, Callable[[], None]]:
        """How an update is launched, and the update."""
        if "graph" in self.variants:
            with suppress(InapplicableError):
                return "graph", updates.update("graph")
        return "eager", updates.update()

    def _measure(self, learner: Learner | Classifier, which: Mapping[str, str]) -> None:
        """Add the times and costs of one learner in one variant and precision."""
        name, variant, precision = which.values()
        own = torch.float64 if precision == "float64" else torch.float32
        whole_only = variant in ("graph", "kernel")
        with self._note_failure(name, f"{variant}, {precision}"), self._compute_in(precision):
            if variant == "kernel" and precision != "float32":
                raise InapplicableError("the kernel computes in float32")
            updates = Updates.of(learner, self.data, dtype=own)
            if updates.steps:
                run = updates.update(variant)
                whole = stopwatch.time_call(run, self.device, self.seconds)
                if not whole_only:
                    parts = stopwatch.time_parts(updates.parts(variant), self.device, self.seconds)
                    self.times += [
                        {**which, "part": part, "times": one} for part, one in zip(PARTS, parts, strict=True)
                    ]
                self.times.append({**which, "part": "update", "times": whole})
                self.costs.append({**which, **self._costs(updates, run, median_low(whole))})
            elif variant == "eager":
                with self._note_failure(name, "update"):
                    raise InapplicableError("it is fitted at once, without updates")
            if precision != "float64" and variant != "kernel":  # which trains alone
                with self._note_failure(name, f"{variant} forecast step, {precision}"):
                    step = updates.forecast_step(self.data, variant)
                    taken = stopwatch.time_call(step, self.device, self.seconds)
                    self.times.append({**which, "part": "forecast step", "times": taken})

    def _costs(self, updates: Updates, run: Callable[[], None], second: float) -> dict[str, float | None]:
        """What one update costs beside its seconds, and the rates that follow; what cannot be measured is None."""
        run()
        seen = stopwatch.launches(run, self.device)
        counted = updates.costs()
        repeats = max(1, round(self.seconds * 4 / second)) if self.device == "cuda" else 1
        with meter(self.device) as reading:
            for _ in range(repeats):
                run()
        found: dict[str, float] = {
            "samples": updates.samples,
            "samples_per_second": updates.samples / second,
            **counted,
            "nfe_per_second": counted["nfe"] / second,
            "flops_per_second": counted["flops"] / second,
            "bytes_per_second": counted["traffic"] / second,
            "launches": seen.count,
            "busy": seen.busy,
            "peak_bytes": seen.peak_bytes,
            "joules": reading.joules / repeats,
        }
        return {name: value if isfinite(value) else None for name, value in found.items()}

    def _varied(self, learner: Learner | Classifier) -> Iterator[tuple[str, int, Learner | Classifier, int]]:
        """The learner with one thing changed at a time: what, to which value, and the number of seeds."""
        there: Any = {field.name: getattr(learner, field.name) for field in fields(learner)}
        if (training := there.get("training")) is None:
            return
        for batch in self.batches or _multiples(training.batch, BATCHES[self.device]):
            yield "batch", batch, replace(learner, training=replace(training, batch=batch)), 1
        for name, axis in AXES.items():
            if isinstance(there.get(name), int):
                yield from ((axis, one, replace(learner, **{name: one}), 1) for one in _multiples(there[name]))
        yield from (("seeds", seeds, learner, seeds) for seeds in SEEDS[self.device])

    @contextmanager
    def _note_failure(self, learner: str, what: str) -> Iterator[None]:
        """Note what cannot be measured, with the reason in one line, and go on."""
        try:
            yield
        except Exception as error:
            reason = str(error)
            if not isinstance(error, (Unsuitable, InapplicableError)):  # the message may be pages long
                reason = f"{type(error).__name__}: {next(iter(reason.splitlines()), '')}"
            self.skipped.append({"learner": learner, "what": what, "reason": " ".join(reason.split())[:200]})

    @contextmanager
    def _compute_in(self, precision: str) -> Iterator[None]:
        """Compute in a precision: float32 proper, products and convolutions in tf32, partly in bfloat16, or float64."""
        if precision == "tf32" and self.device != "cuda":
            raise InapplicableError("only GPUs multiply matrices in tf32")
        before = torch.get_float32_matmul_precision()
        tf32 = precision == "tf32"
        autocast = torch.autocast(self.device, torch.bfloat16) if precision == "bfloat16" else nullcontext()
        try:
            with torch.backends.cudnn.flags(enabled=True, allow_tf32=tf32), autocast:  # those of convolutions
                torch.set_float32_matmul_precision("high" if tf32 else "highest")
                yield
        finally:
            torch.set_float32_matmul_precision(before)


def _multiples(value: int, factors: Sequence[float] = FACTORS) -> list[int]:
    """A number with those around it that are measured too."""
    return sorted({max(1, round(factor * value)) for factor in factors})
