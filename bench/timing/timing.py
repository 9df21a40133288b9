"""What learners take for an update and for a forecast step: times, memory, launches, and how they grow."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, fields, replace
from math import isfinite
from typing import Any

import torch

from bench.machine.environment import environment
from bench.machine.meter import meter
from bench.timing import stopwatch
from bench.timing.subject import InapplicableError, Subject, count
from learners import Learner, Unsuitable
from systems import Dataset
from systems.configuration import short_labels

FORM = 1  # of the JSON
FACTORS = (0.25, 4.0)  # by which the batch, the width and the lookahead are changed
SEEDS = (1, 2, 4, 8)
WIDTHS = ("width", "hidden")  # what learners call the units of their layers
DTYPES = {"float32": torch.float32, "tf32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}
PARTS = ("forward", "backward", "descent")  # of an update; the last is the clip of the gradients and the optimiser
VARIANTS = ("eager", "compiled", "graph")


@dataclass(frozen=True)
class Timing:
    """How a suite's learners are timed on one dataset; `notify` is told what is being timed."""

    data: Dataset
    device: str
    seconds: float  # of each measurement
    variants: Sequence[str] = VARIANTS
    precisions: Sequence[str] = ("float32",)
    batches: Sequence[int] = ()  # in place of multiples of each learner's own
    notify: Callable[[str], None] = print

    def report(self, learners: Sequence[Learner], about: dict[str, Any]) -> dict[str, Any]:
        """All measurements as JSON-ready values; what could not be measured is listed with its reason."""
        names = dict(zip(short_labels(learners), learners, strict=True))
        found: dict[str, Any] = {"kind": "timing", "form": FORM, **about, "ceilings": {}}
        found |= {"learners": list(names), "times": [], "costs": [], "skipped": []}
        for precision in self.precisions:
            self.notify(f"ceilings in {precision}")
            try:
                with self._in(precision):
                    found["ceilings"][precision] = stopwatch.ceilings(self.device, DTYPES[precision], self.seconds)
            except InapplicableError as error:
                found["skipped"].append({"learner": "", "what": precision, "reason": str(error)})
                continue
            for name, learner in names.items():
                for variant in self.variants:
                    self.notify(f"{name}, {precision}, {variant}")
                    self._note(found, {"learner": name, "variant": variant, "precision": precision}, learner)
        for name, learner in names.items():
            self.notify(f"{name}, scaling")
            for axis, value, varied, seeds in self._varied(learner):
                self._scale(found, {"learner": name, "axis": axis, "value": value}, varied, seeds)
        surroundings = environment(self.device, torch.get_num_threads())
        surroundings["git"].pop("diff", None)
        return found | {"environment": surroundings}

    def _note(self, found: dict[str, Any], which: dict[str, str], learner: Learner) -> None:
        """Add the times and costs of one learner in one variant and precision."""
        variant, precision = which["variant"], which["precision"]
        own = torch.float64 if precision == "float64" else torch.float32

        def skip(what: str, error: Exception) -> None:
            reason = " ".join(f"{error}".split()) or type(error).__name__
            found["skipped"].append({"learner": which["learner"], "what": what, "reason": reason[:200]})

        try:
            with self._in(precision):
                subject = Subject.of(learner, self.data, dtype=own)
                if subject.steps:
                    times = self._update_times(subject, variant)
                    found["times"] += [which | {"part": part, "times": taken} for part, taken in times.items()]
                    found["costs"].append(which | self._costs(subject, variant, times["update"]))
                elif variant == "eager":
                    skip("update", InapplicableError("it is fitted at once, without updates"))
        except (Unsuitable, InapplicableError) as error:
            return skip(f"{variant}, {precision}", error)
        except Exception as error:
            return skip(f"{variant}, {precision}", _told(error))
        if precision == "float64":
            return None
        try:
            with self._in(precision):
                taken = stopwatch.repeated(subject.forecast_step(self.data, variant), self.device, self.seconds)
            found["times"].append(which | {"part": "forecast step", "times": taken})
        except Exception as error:
            skip(f"{variant} forecast step, {precision}", _told(error))
        return None

    def _update_times(self, subject: Subject, variant: str) -> dict[str, list[float]]:
        update = stopwatch.repeated(subject.update(variant), self.device, self.seconds)
        if variant == "graph":  # is launched as a whole
            return {"update": update}
        parts = stopwatch.in_turn(subject.parts(variant), self.device, self.seconds)
        return dict(zip(PARTS, parts, strict=True)) | {"update": update}

    def _costs(self, subject: Subject, variant: str, times: Sequence[float]) -> dict[str, float | None]:
        """What one update costs beside its time, and the rates that follow; what nothing tells is None."""
        second, run = float(torch.tensor(times, dtype=torch.float64).median()), subject.update(variant)
        run()
        seen = stopwatch.launches(run, self.device)
        counted = count(subject)
        found: dict[str, float] = {
            "samples": subject.samples,
            "samples_per_second": subject.samples / second,
            **counted,
            "nfe_per_second": counted["nfe"] / second,
            "flops_per_second": counted["flops"] / second,
            "bytes_per_second": counted["traffic"] / second,
            "launches": seen.count,
            "busy": seen.busy,
            "peak_bytes": seen.peak_bytes,
            "joules": self._energy(run, second),
        }
        return {name: value if isfinite(value) else None for name, value in found.items()}

    def _energy(self, run: Callable[[], None], second: float) -> float:
        """Joules of one update; not a number where nothing tells."""
        repeats = max(1, round(self.seconds * 4 / second)) if self.device == "cuda" else 1
        with meter(self.device) as reading:
            for _ in range(repeats):
                run()
        return reading.joules / repeats

    def _scale(self, found: dict[str, Any], which: dict[str, Any], learner: Learner, seeds: int) -> None:
        try:
            subject = Subject.of(learner, self.data, seeds)
            if subject.steps:
                taken = stopwatch.repeated(subject.update(), self.device, self.seconds / 4)
                place = {"variant": "eager", "precision": "float32", "part": "update"}
                found["times"].append(which | place | {"times": taken})
        except Exception as error:
            what = f"{which['axis']} {which['value']}"
            found["skipped"].append({"learner": which["learner"], "what": what, "reason": f"{_told(error)}"})

    def _varied(self, learner: Learner) -> Iterator[tuple[str, int, Learner, int]]:
        """The learner with one thing changed at a time: what, to which value, and the number of seeds."""
        there: Any = {field.name: getattr(learner, field.name) for field in fields(learner)}
        if (training := there.get("training")) is None:
            return
        batches = self.batches or _multiples(training.batch)
        yield from (("batch", one, replace(learner, training=replace(training, batch=one)), 1) for one in batches)
        for axis, names in {"width": WIDTHS, "lookahead": ("lookahead",)}.items():
            for name in names:
                if isinstance(there.get(name), int):
                    yield from ((axis, one, replace(learner, **{name: one}), 1) for one in _multiples(there[name]))
        yield from (("seeds", seeds, learner, seeds) for seeds in SEEDS)

    @contextmanager
    def _in(self, precision: str) -> Iterator[None]:
        """Compute in a precision: float32 proper, with tf32 products, with bfloat16 where that is safe, or float64."""
        if precision == "tf32" and self.device != "cuda":
            raise InapplicableError("only GPUs multiply matrices in tf32")
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
        mixed: AbstractContextManager[Any] = nullcontext()
        if precision == "bfloat16":
            mixed = torch.autocast(self.device, torch.bfloat16)
        try:
            with mixed:
                yield
        finally:
            torch.set_float32_matmul_precision(before)


def _told(error: Exception) -> Exception:
    """The first line of an error, which may be pages long."""
    if isinstance(error, InapplicableError):
        return error
    first = next(iter(f"{error}".splitlines()), "")
    return RuntimeError(f"{type(error).__name__}: {first}"[:200])


def _multiples(value: int) -> list[int]:
    """A number with those around it that are tried too."""
    return sorted({max(1, round(factor * value)) for factor in (*FACTORS, 1.0)})
