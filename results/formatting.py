"""How numbers, metrics and outcomes are put in words, in every table, figure and page alike."""

import re
from collections.abc import Iterable, Sequence
from hashlib import sha256

import numpy as np
from tabulate import tabulate

ABSENT = "not run"
NOTHING = "—"  # where a metric says nothing about a learner
BYTES = ("B", "byte", "bytes")
SHORT = 10  # characters of a value in brackets that labels of figures have whole
LONGEST = 120  # bytes of a file name that is made of a label

_SETTING = r"[\w.]+=-?\w[\w.]*(?:e-\d+)?"
_PLAIN = rf"\w+(?:\[{_SETTING}(?:,{_SETTING})*\])?"  # labels whose letters and digits tell them from each other

_STATUS = {"solver_failed": "solver failed", "out_of_memory": "out of memory", "timeout": "timed out"}
_NAMES = {
    "zero_one_k": "0-1 K", "lyapunov_exponent": "Lyapunov exponent", "kaplan_yorke_dimension": "Kaplan-Yorke dimension",
    "d_stsp": "D_stsp", "d_h": "D_H", "ctf_short": "CTF short", "ctf_long": "CTF long", "flops_update": "FLOP update",
    "flops_forecast": "FLOP forecast",
}  # fmt: skip
_SPELLED = {
    "nrmse": "NRMSE", "vpt": "VPT", "smape": "sMAPE", "cme": "CME", "nfe": "NFE", "seconds": "time", "bytes": "memory",
}  # fmt: skip


def three_digits(value: float, whole: bool = False) -> str:
    """To three significant digits: 12.7, 0.00123, 52,400, 1.23e-05; without decimals where all is `whole` numbers."""
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return f"{value:.2e}"
    digits = 2 - int(np.floor(np.log10(abs(float(f"{value:.2e}")))))
    return f"{round(value, digits):,.{0 if whole else max(digits, 0)}f}"


def in_bytes(value: float) -> str:
    """To three significant digits in binary units: 512 B, 12.3 KiB."""
    power = 0
    while abs(value) >= 1000 and power < 3:
        value, power = value / 1024, power + 1
    return f"{three_digits(value, whole=power == 0)} {('B', 'KiB', 'MiB', 'GiB')[power]}"


def escape_markdown(text: str) -> str:
    """Text that Markdown does not read as marks."""
    return re.sub(r"([|*`<])", r"\\\1", text)


def pipe_table(rows: Sequence[Sequence[str]], heads: Sequence[str], align: Sequence[str]) -> str:
    """A table in Markdown, of texts that are escaped already; `align` has "left" or "right" for each column."""
    return tabulate(rows, heads, "pipe", disable_numparse=True, colalign=align)


def heading(metric: str) -> str:
    """The name of a metric for people: `nfe_forecast` becomes "NFE forecast"."""
    return _NAMES.get(metric) or " ".join(_SPELLED.get(word, word) for word in metric.split("_"))


def slug(label: str) -> str:
    """A file name of its own for each label: `Lorenz96[sites=40]` becomes `Lorenz96-sites-40`.

    Letters of all scripts are kept. Where others would have the same name, as of paths and of nested settings, a digest
    of the label follows.
    """
    name = re.sub(r"[^\w.-]+", "-", label).strip("-.")
    if re.fullmatch(_PLAIN, label) and len(name.encode()) <= LONGEST:
        return name
    kept = name.encode()[:LONGEST].decode(errors="ignore")
    return f"{kept}-{sha256(label.encode(errors='surrogatepass')).hexdigest()[:6]}".lstrip("-")


def plural(timescale: str) -> str:
    """Several of a unit of time: "periods", "timescales of 6.3 s"."""
    name, of, length = timescale.partition(" of ")
    return f"{name}s{of}{length}"


def in_timescale(unit: str, timescale: str) -> str:
    """The unit of a metric with the name of a system's unit of time: "timescales" becomes "timescales of 6.3 s"."""
    return re.sub(r"timescale(s?)", lambda found: plural(timescale) if found[1] else timescale, unit)


def channel(name: str) -> str:
    """The name of a channel for figures: x12 becomes x₁₂; others are as they are."""
    subscripts = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
    return name.translate(subscripts) if re.fullmatch(r"x\d+", name) else name


def brief(label: str) -> str:
    """A label for figures, without the paths of its settings and long values: `Fewer[ResNet[updates=9,of=(...)]]`."""
    label = re.sub(
        r"(?<==)\((?:[^()]|\([^()]*\))*\)", lambda value: value[0] if len(value[0]) <= SHORT else "(...)", label
    )
    return re.sub(r"(?<=[\[,])(?:(?:learner|system)=|(?:\w+\.)+(?=\w+=))", "", label)


def wrapped(label: str, width: int = 26) -> str:
    """A label for figures in lines of so many characters, broken after commas, brackets and blanks."""
    lines = [""]
    for part in re.findall(rf"[^,\[ ]{{1,{width - 1}}}[,\[ ]?|[,\[ ]", brief(label)):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(line.strip() for line in lines)


def status(name: str) -> str:
    """The status of a record for people: "timed out"."""
    return _STATUS.get(name, name)


def outcome(statuses: Iterable[str]) -> str:
    """How trials ended: "ok", "1 of 3 diverged"."""
    ended = list(statuses)
    failed = [name for name in ended if name != "ok"]
    if not ended:
        return ABSENT
    kinds = ", ".join(status(name) for name in dict.fromkeys(failed))
    return f"{len(failed)} of {len(ended)} {kinds}" if failed else "ok"


def counted(count: int, noun: str) -> str:
    """A number of things: "1 seed", "3 seeds"."""
    return f"{count} {noun}{'s' * (count != 1)}"


def listed(names: Iterable[str]) -> str:
    """ "A", "A and B", "A, B and C"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
