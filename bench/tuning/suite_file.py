"""The file of a suite with settings that were found by tuning."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.errors import one_line
from bench.request import Request
from bench.tuning.search import Search
from systems.configuration import label


def suite_source(request: Request, found: Sequence[Search], command: str) -> str:
    """The source of a suite with the settings found for each learner, and their errors beside them.

    `request` says which suite was tuned, and what was chosen of it; `command` is what the file was written by.
    """
    given = request.suite if not request.suite.endswith(".py") else str(Path(request.suite).resolve())
    trials = max(len(one.candidates) for one in found)
    how = f"the best of {trials} trials of each learner by forecasts of validation data"
    base = f"load({_text(given)})"
    imports = ["from bench.suite import load, tuned"]
    if request.systems or request.learners:
        base = f"select({base}, {_text(request.systems)}, {_text(request.learners)})"
        imports = ["from bench.planning.selection import select", *imports]
    included = ""
    if files := [str(path.resolve()) for path in request.include]:
        included = f"include([Path(file) for file in {_text(files)}])\n"
        imports = ["from pathlib import Path", "", "from bench.catalogue.plugins import include", *imports]
    settings = ""
    for one in found:
        first = one.candidates[0].error
        best = one.best.error if one.best else None
        elsewhere = one.error_elsewhere
        errors = f"{first:.4g} -> {best:.4g}" if first and best else "all failed"
        if best and elsewhere:
            errors += f", {elsewhere:.4g} elsewhere"
        settings += f"        {_text(label(one.learner))}: {_text(one.found)},  # {errors}\n"
    return f'''"""Settings are {how}.

Beside them: the error in standard deviations with those of the suite, and with these; elsewhere is the
error on systems left out in turn, with what is best on the others.
"""
# Written by: {one_line(command)}

{chr(10).join(imports)}

{included}suite = tuned(
    {base},
    {{
{settings}    }},
    how={_text(how)},
)
'''


def _text(value: Any) -> str:
    """Plain values as Python source in ASCII, with double quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_text(name)}: {_text(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(_text, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{',' * (len(value) == 1)})"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text.encode("ascii", "backslashreplace").decode()  # not by JSON's escapes, which Python reads otherwise
