"""`python -m bench new KIND NAME`: the beginning of something of one's own, which works, and its test."""

import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from keyword import iskeyword
from pathlib import Path
from typing import Annotated

import typer

from bench.errors import UserError, unknown

TEMPLATES = Path(__file__).parents[1] / "templates"


@dataclass(frozen=True)
class Kind:
    """What can be begun: its template, how its names are written, and what to try then."""

    template: str  # the name of a file, of what is defined in it in small letters, and of its test
    test: str
    package: str  # whose names are taken
    commands: tuple[str, ...]

    @property
    def example(self) -> str:
        """A name: that of a class, or of what is written in small letters."""
        return self.template.title().replace("_", "") if self.package in ("learners", "systems") else self.template


KINDS = {
    "learner": Kind(
        "my_learner", "test_my_learner", "learners", ("run --suite smoke --include {module}.py -l {name}",)
    ),
    "network": Kind(
        "my_network", "test_my_learner", "learners", ("run --suite smoke --include {module}.py -l {name}",)
    ),
    "system": Kind(
        "my_system",
        "test_my_system",
        "systems",
        ("doctor {module}.py", "run --suite smoke --include {module}.py -s {name}"),
    ),
    "metric": Kind(
        "my_metric", "test_my_metric", "metrics", ("run --suite smoke --include {module}.py --metric {name}",)
    ),
    "suite": Kind("my_suite", "test_my_suite", "suites", ("run --suite {module}.py --budget quick",)),
}


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What to begin: {', '.join(KINDS)}.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Of its class, such as MyLearner; of a metric or suite: my_metric.")
    ],
) -> None:
    """Write the beginning of something of your own into this folder: a file that works, and its test.

    A learner begins as a linear map by least squares, a network as a perceptron
    that is trained update by update; both are learners.
    """
    if kind not in KINDS:
        raise unknown("kind of thing", kind, KINDS, "python -m bench new KIND NAME")
    chosen = KINDS[kind]
    module = _module(kind, name)
    texts = {
        Path(f"{module}.py"): TEMPLATES / f"{chosen.template}.py",
        Path(f"test_{module}.py"): TEMPLATES / f"{chosen.test}.py",
    }
    for path in texts:
        if path.exists():
            raise UserError(f"{path} exists already: choose another name, or another folder")
    for path, template in texts.items():
        stem = template.stem.removeprefix("test_")
        text = template.read_text(encoding="utf-8")
        text = text.replace(stem.title().replace("_", ""), name).replace(stem, module)
        path.write_text(text, encoding="utf-8")
    tries = (f"pytest test_{module}.py", *(f"bench {line}" for line in chosen.commands))
    lines = "".join(f"  python -m {line}\n" for line in tries).format(module=module, name=name)
    sys.stdout.write(f"{module}.py and test_{module}.py are written. Try\n{lines}")


def _module(kind: str, name: str) -> str:
    """The name of the file in which something of a name is defined. Raises UserError where it cannot have that name."""
    chosen = KINDS[kind]
    is_class = chosen.example != chosen.template
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*" if is_class else r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        rule = "is that of its class" if is_class else "is in small letters"
        raise UserError(f"a {kind}'s name {rule}, such as {chosen.example}, but is {name!r}")
    if name in _taken(chosen.package):
        thing = "learner" if kind == "network" else kind
        setting = f", or set its fields, {name}[field=value]" if is_class else ""
        raise UserError(f"there is a {thing} {name} already: choose another name{setting}")
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if iskeyword(module) or find_spec(module):
        raise UserError(
            f"{module}.py would stand in the way of what Python has under this name: choose another one than {name}"
        )
    return module


def _taken(package: str) -> Collection[str]:
    """The names of what the package has already."""
    from bench.catalogue.components import components, metrics
    from bench.catalogue.suites import suites

    return suites() if package == "suites" else metrics() if package == "metrics" else components(package)
