"""The page of a GPU report, from what its steps have left in a folder: `python docs/reports/gpu_page.py FOLDER`."""

import json
import sys
from pathlib import Path

folder = Path(sys.argv[1])
steps = [line.split("\t") for line in (folder / "steps.tsv").read_text().splitlines()]
rows = [{"step": name, "code": int(code), "seconds": int(taken), "fate": fate} for name, code, taken, fate in steps]
(folder / "steps.json").write_text(json.dumps(rows, indent=1) + "\n")
parts = ["# A GPU, measured", "| step | s | |\n| :-- | --: | :-- |"]
parts[-1] += "".join(f"\n| {row['step']} | {row['seconds']} | {row['fate']} |" for row in rows)
for made in ("timing.md", "report.html"):
    parts += [f"- [{path.relative_to(folder)}]({path.relative_to(folder)})" for path in sorted(folder.rglob(made))]
for name in ("versions.log", "tests.log", "peers.json"):
    if (path := folder / name).exists():
        parts.append(f"## {path.stem}\n\n```\n{path.read_text().strip()[-4000:]}\n```")
for path in sorted(folder.rglob("timing.md")):  # with its figures, which lie beside it
    beside = path.parent.relative_to(folder)
    text = path.read_text().replace("\n## ", "\n### ").replace("](", f"]({beside}/")
    parts.append(f"## {path.relative_to(folder).parts[0]}\n\n{text.strip().removeprefix('## ')}")
(folder / "README.md").write_text("\n\n".join(parts) + "\n")
print(folder / "README.md")  # noqa: T201
