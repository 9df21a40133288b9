"""The page of a GPU report, from what its steps have left in a folder: `python docs/reports/gpu_page.py FOLDER`.

With `--docs`, the page of the documentation, too, with its pictures beside the others there.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from results.formatting import escape_markdown, pipe_table

DOCS = Path(__file__).parents[1]
VARIANTS = ("eager", "compiled", "graph")
HEADS: dict[str, str] = {"eager": "PyTorch, eager (ms)", "graph": "PyTorch, graph (ms)"}  # of what others are beside
TITLES = {
    "chaos-times": "Learners on Lorenz",
    "images-times": "Classifiers of digits",
    "field-times": "Learners on a field",
    "compiled-times": "By torch's compiler",
    "precisions": "Precisions",
}


def page(folder: Path) -> str:
    """The page as Markdown; pictures are said as they lie in the folder."""
    steps = [line.split("\t") for line in (folder / "steps.tsv").read_text().splitlines()]
    rows = [{"step": name, "code": int(code), "seconds": int(taken), "fate": fate} for name, code, taken, fate in steps]
    (folder / "steps.json").write_text(json.dumps(rows, indent=1) + "\n")
    reports = {path.relative_to(folder).parts[0]: path for path in sorted(folder.rglob("timing.md"))}
    parts = ["# A GPU, measured", _versions(folder / "versions.log"), *_launches(list(reports.values()))]
    parts += _peers(folder / "peers.json")
    for path in sorted(folder.glob("*/*/tables/leaderboard.md")):
        parts += [f"## Run of {path.parts[-3]}", path.read_text(encoding="utf-8").strip()]
    for name, path in reports.items():
        text = path.read_text(encoding="utf-8").replace("\n## ", "\n### ")
        text = text.removeprefix("## ").partition("\n")[2].replace("](", f"]({path.parent.relative_to(folder)}/")
        parts += [f"## {TITLES.get(name, name)}", text.strip()]
    table = _table([(row["step"], row["fate"], f"{row['seconds']}") for row in rows], ("step", "", "s"), words=2)
    parts += ["## Steps", "`docs/reports/gpu.sh`, where each step has a share of eight minutes.", table]
    if (log := folder / "tests.log").exists():
        parts.append(f"Tests: {log.read_text().strip().splitlines()[-1]}")
    return "\n\n".join(part for part in parts if part) + "\n"


def write(folder: Path, docs: Path | None = None) -> Path:
    """Write the page into the folder, or into a folder of documentation with pictures that it can show."""
    text = page(folder)
    if docs is None:
        path = folder / "README.md"
        links = [path.relative_to(folder) for path in sorted(folder.rglob("report.html"))]
        text += "".join(f"\n- [{link}]({link})" for link in links) + "\n" * bool(links)
    else:
        path = docs / "reports" / "gpu.md"
        images = docs / "images" / "reports"
        images.mkdir(parents=True, exist_ok=True)
        for source in sorted(folder.glob("*/timing/*/*.png")):
            name = f"gpu-{source.relative_to(folder).parts[0]}-{source.name}"
            shutil.copyfile(source, images / name)
            shown = source.relative_to(folder).with_suffix(".svg")
            text = text.replace(f"]({shown})", f"](../images/reports/{name})")
    path.write_text(text, encoding="utf-8")
    return path


def _versions(log: Path) -> str:
    """With what it was made, in a line."""
    try:
        found = json.loads(log.read_text())
    except (OSError, ValueError):
        return ""
    versions = ", ".join(f"{name} {found['packages'].get(name)}" for name in ("numpy", "pandas", "torchdiffeq", "jax"))
    name, memory = found["device"]["name"], found["device"].get("bytes")
    size = f", {memory / 2**30:.0f} GiB" if memory else ""
    return f"{name}{size}; Python {found['python']}, torch {found['torch']}, {versions}."


def _launches(reports: list[Path]) -> list[str]:
    """Updates of each learner, launched one by one and otherwise."""
    times: dict[tuple[str, str], dict[str, float]] = {}
    for path in reports:
        found = json.loads(path.with_suffix(".json").read_text())
        for entry in found["times"]:
            if not entry.get("axis") and entry["part"] == "update" and entry["precision"] == "float32":
                row = times.setdefault((found["system"], entry["learner"]), {})
                row[entry["variant"]] = 1e3 * median(entry["times"])
    if not times:
        return []
    shown = [variant for variant in VARIANTS if any(variant in row for row in times.values())]
    rows = [(*place, *(_ms(row.get(variant)) for variant in shown), _gain(row)) for place, row in times.items()]
    heads = ("data", "learner", *(f"{variant} (ms)" for variant in shown), "eager / graph")
    note = (
        "Median times of an update of one seed: both passes, the clip of gradients and the optimiser. eager: kernels "
        "are launched one by one; compiled: by torch's compiler; graph: all of an update as one CUDA graph, as "
        "training does it. Adaptive solvers ask for values on their way, which no graph can."
    )
    return ["## How an update is launched", note, _table(rows, heads, words=2)]


def _peers(path: Path) -> list[str]:
    """Updates beside those of JAX."""
    if not path.exists():
        return []
    rows = json.loads(path.read_text())
    ways: list[str] = [name for name in rows[0] if name not in ("lookahead", "batch")]
    body = [(f"{row['lookahead']}", f"{row['batch']}", *(_ms(row[way], 1e3) for way in ways)) for row in rows]
    note = "An update of a neural ODE 3-256-3 (ReLU, 3/8 rule) by Adam, ours and JAX's, in ms."
    return ["## Beside JAX", note, _table(body, ("lookahead", "batch", *(HEADS.get(way, way) for way in ways)))]


def _table(rows: Sequence[Sequence[str]], heads: Sequence[str], words: int = 0) -> str:
    align = ["left"] * words + ["right"] * (len(heads) - words)
    return pipe_table([[escape_markdown(text) for text in row] for row in rows], heads, align)


def _ms(time: float | str | None, factor: float = 1.0) -> str:
    """Milliseconds; a point where there are none."""
    if not isinstance(time, float):
        return "·"
    return f"{time * factor:.2g}" if time * factor < 10 else f"{time * factor:.0f}"


def _gain(row: Mapping[str, Any]) -> str:
    return f"{row['eager'] / row['graph']:.1f}" if {"eager", "graph"} <= row.keys() else "·"


if __name__ == "__main__":
    given = sys.argv[1:]
    print(write(Path(given[0]), DOCS if "--docs" in given else None))  # noqa: T201
