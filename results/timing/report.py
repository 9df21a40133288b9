"""The report of timings: tables for a terminal and as Markdown, figures, and JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from results.formatting import escape_markdown, pipe_table
from results.store.atomic import write_in_one_stroke
from results.timing.timings import Ratio, Timings, measurements, median, variant_in_words

EMPTY = "·"
CPU_ALONE = "Measured on the CPU alone: no kernels, busy fraction, energy or CUDA graphs, which need a GPU."
COST_HEADS = {
    "samples_per_second": "examples/s", "nfe_per_second": "NFE/s", "saved_bytes": "saved B", "peak_bytes": "peak B",
    "launches": "launched", "busy": "busy", "joules": "J",
}  # fmt: skip
RATE_HEADS = {"flops_per_second": "FLOP/s", "bytes_per_second": "B/s"}
NOTES = {
    "times": "Median of repeated measurements, in brackets their interquartile range. An update: both passes, "
    "then the clip of gradients and the optimiser.",
    "costs": "Of one update. launched: kernels (CPU: outermost operators of torch); saved: between the passes; peak: "
    "of torch's allocator, above the level before.",
    "rates": "Matrix products and convolutions alone count as operations; bytes are those of all operands and results, "
    "as if nothing stayed in a cache. In brackets: part of what a large matrix product and a large copy reach here.",
    "scaling": "One thing changed at a time, by a CUDA graph where there can be one; seeds are stacked where the "
    "learner can. A batch is at most all segments that the data have.",
}


@dataclass(frozen=True)
class Sheet:
    """A table of texts, the first columns of which are words."""

    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: int = 2


def write(found: Timings, folder: Path) -> Path:
    """Write `timing.json`, `timing.md` and the figures; the path of the Markdown."""
    write_in_one_stroke(folder / "timing.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    parts = [f"## {sheet.title}\n\n{markdown(sheet)}" for sheet in sheets(found)]
    parts += _draw(found, folder)
    path = folder / "timing.md"
    write_in_one_stroke(path, "\n\n".join(parts) + "\n")
    return path


def _draw(found: Timings, folder: Path) -> list[str]:
    """Write the figures; what shows them on the page, or says why there are none."""
    try:
        from results.figures.style import save
        from results.timing.figures import figures
    except ModuleNotFoundError as error:
        return [f"Figures are left out: {error.name} is not installed."]
    shown = []
    for name, figure in figures(found).items():
        save(figure, folder, name)
        shown.append(f"![{name}]({name}.svg)")
    return shown


def markdown(sheet: Sheet) -> str:
    """A table of timings in Markdown, with its note below."""
    align = ["left"] * sheet.words + ["right"] * (len(sheet.heads) - sheet.words)
    rows = [[escape_markdown(text) for text in row] for row in sheet.rows]
    return f"{pipe_table(rows, sheet.heads, align)}\n\n{sheet.note}".rstrip()


def sheets(found: Timings) -> list[Sheet]:
    """The tables of a report, those without a row left out."""
    every = [_surroundings(found), _times(found), _costs(found), _rates(found), _scaling(found), _skipped(found)]
    return [sheet for sheet in every if sheet.rows]


def ratio_sheet(ratios: Sequence[Ratio]) -> Sheet:
    """Two timings side by side: the median seconds of each, and how many times longer the second takes."""
    rows = []
    for one in ratios:
        interval = f"{one.ratio.median:.2f} [{one.ratio.low:.2f}, {one.ratio.high:.2f}]"
        rows.append((one.timed.learner, one.timed.in_words, _ms(one.first), _ms(one.second), interval, one.verdict))
    note = (
        "Medians in ms; B / A with the 95 % interval of what varies within one process. "
        "Between two processes on the same machine more may vary."
    )
    return Sheet("B beside A", ("learner", "what", "A", "B", "B / A", "verdict"), tuple(rows), note)


def number(value: float | None) -> str:
    """Three digits with a prefix: 12.3k."""
    if value is None:
        return EMPTY
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{prefix}"
    return f"{value:.3g}"


def _surroundings(found: Timings) -> Sheet:
    about = found["environment"]
    named = {name: about.get(name) for name in ("device", "processor", "cores", "threads", "driver", "python", "torch")}
    rows = [(name, f"{value}") for name, value in named.items() if value is not None]
    for precision, ceiling in found["ceilings"].items():
        flops, copied = number(ceiling["flops_per_second"]), number(ceiling["bytes_per_second"])
        rows.append((f"ceiling, {precision}", f"{flops}FLOP/s by a matrix product, {copied}B/s by a copy"))
    rows.append(("command", f"{about.get('command', '')}"))
    title = f"Times of {found['suite']} on {found['system']}"
    return Sheet(title, ("", ""), tuple(rows), CPU_ALONE if about.get("device") == "cpu" else "")


def _times(found: Timings) -> Sheet:
    heads = ("forward", "backward", "update", "forecast step")
    rows = []
    timed = dict.fromkeys((one["learner"], one["variant"], one["precision"]) for one in found["times"])
    for learner, variant, precision in sorted(timed, key=lambda one: found["learners"].index(one[0])):
        texts = [_time(found, learner, variant, precision, part) for part in heads]
        if any(text != EMPTY for text in texts):
            rows.append((learner, variant_in_words(variant, precision), *texts))
    images = found.get("images")
    also = f"the classes of {images} images" if images else f"one step of {found.get('forecasts', 0)} forecasts"
    last = "classes" if images else "forecast"
    return Sheet(f"An update, and {also} (ms)", ("learner", "", *heads[:-1], last), tuple(rows), NOTES["times"])


def _costs(found: Timings) -> Sheet:
    shown = [name for name in COST_HEADS if any(cost.get(name) is not None for cost in found["costs"])]
    rows = [
        (
            cost["learner"],
            variant_in_words(cost["variant"], cost["precision"]),
            *(number(cost.get(name)) for name in shown),
        )
        for cost in _in_order(found)
    ]
    heads = ("learner", "", *(COST_HEADS[name] for name in shown))
    return Sheet("What an update costs", heads, tuple(rows), NOTES["costs"])


def _rates(found: Timings) -> Sheet:
    rows = []
    for cost in _in_order(found):
        ceiling = found["ceilings"][cost["precision"]]
        texts = [f"{number(cost[name])} ({cost[name] / ceiling[name]:.1%})" for name in RATE_HEADS]
        work = (number(cost["nfe"]), number(cost["flops"]), number(cost["traffic"]))
        rows.append((cost["learner"], variant_in_words(cost["variant"], cost["precision"]), *work, *texts))
    heads = ("learner", "", "NFE", "FLOP", "B", *RATE_HEADS.values())
    return Sheet("Work of an update, and rates beside the ceilings", heads, tuple(rows), NOTES["rates"])


def _scaling(found: Timings) -> Sheet:
    rows = []
    for learner in found["learners"]:
        for axis in ("batch", "width", "blocks", "lookahead", "seeds"):
            points = list(measurements(found, learner=learner, axis=axis))
            if points:
                texts = (f"{entry['value']}: {_ms(median(entry['times']))}" for entry in points)
                rows.append((learner, axis, "   ".join(texts)))
    heads = ("learner", "", "value: update (ms)")
    return Sheet("How an update grows", heads, tuple(rows), NOTES["scaling"], words=3)


def _skipped(found: Timings) -> Sheet:
    """What was not measured and why, each reason once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for entry in found["skipped"]:
        reasons.setdefault((entry["what"], entry["reason"]), []).append(entry["learner"])
    rows = []
    for (what, reason), learners in reasons.items():
        everyone = set(found["learners"]) <= set(learners) and len(found["learners"]) > 1
        rows.append(("all" if everyone else ", ".join(dict.fromkeys(learners)), what, reason))
    return Sheet("Not measured", ("learner", "what", "reason"), tuple(rows), words=3)


def _in_order(found: Timings) -> list[Mapping[str, Any]]:
    return sorted(found["costs"], key=lambda cost: found["learners"].index(cost["learner"]))


def _time(found: Timings, learner: str, variant: str, precision: str, part: str) -> str:
    entry = next(measurements(found, learner=learner, variant=variant, precision=precision, part=part, axis=""), None)
    if entry is None:
        return EMPTY
    low, high = np.quantile(entry["times"], [0.25, 0.75])
    middle = median(entry["times"])
    return f"{_ms(middle)} ({(high - low) / middle:.0%})"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2g}" if seconds < 0.01 else f"{seconds * 1e3:.0f}"
