"""`python -m bench calibrate`: what an update of each learner costs, and how many cost the same."""

import json
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import median
from typing import Annotated, Any

from rich.console import Console

from bench.display.tables import table_of
from bench.errors import UserError, at_least, positive
from bench.planning import plan as planning
from bench.request import Quiet, Request, how_option, with_options
from bench.runs import spinner
from results.store.atomic import write_in_one_stroke

WITHOUT = ("metrics", "sweeps", "seeds", "data_seed", "budget", "jobs", "shard", "device")


@with_options(without=WITHOUT, suite="chaos")
def calibrate(
    request: Request,
    seconds: Annotated[
        float | None,
        how_option(metavar="S", help="Of processor time, to train each seed; if not given, those of chaos."),
    ] = None,
    rounds: Annotated[int, how_option(metavar="N", help="In each of which every learner has its turn.")] = 5,
    write: Annotated[
        Path | None, how_option(metavar="FILE", help="Add what this file of costs lacks; suites take theirs from one.")
    ] = None,
    quiet: Quiet = False,
) -> int:
    """Measure what an update costs, and say how many updates of each learner take the same time.

    Of three seeds that are trained together, by one thread, on Lorenz, or the suite's first system where it lacks that;
    processor time, medians over rounds in which learners take turns. Leave the machine alone meanwhile.
    Costs that a file has stay as they are, and those that it lacks are told in their time: by learners
    that are measured again, so that another day or machine does not make one learner dearer than another.
    """
    positive("--seconds", seconds, "seconds")
    at_least("--rounds", rounds, 1)
    kept = _kept(write) if write is not None else {}
    plan = planning.plan(request)
    if write is not None:
        planning.check_writable(write.parent, "--write")
    from bench.equal_time import SECONDS, affordable, priced_as, priced_on, trained_by_updates, training_of
    from systems.configuration import short_labels

    seconds = SECONDS if seconds is None else seconds
    first = priced_on([one.cell for one in plan.cells])
    everyone = [one.cell.learner for one in plan.cells if one.cell.system == first.system]
    learners = [learner for learner in everyone if trained_by_updates(learner)]
    if not learners:
        raise UserError(f"suite {plan.manifest['suite']} has no learner of trajectories that is trained by updates")
    section = kept.get(first.system_label, {})
    _check_comparable(section.get("milliseconds", {}), set(map(priced_as, learners)))
    from bench.machine.environment import environment
    from bench.timing.costs import SEEDS, milliseconds
    from bench.timing.timing import brief_dataset

    with spinner("calibrating: reading the data", stderr=True, quiet=quiet, highlight=False) as status:
        found = milliseconds(
            learners,
            brief_dataset(first, request.out / "data"),
            rounds=rounds,
            notify=lambda text: status.update(f"calibrating: {text}"),
            known_as=priced_as,
        )
    costs = {name: cost for name, cost in found.items() if not isinstance(cost, str)}
    if write is not None:
        made = {**environment("cpu", 1), "seeds": SEEDS, "rounds": rounds}
        content = {**kept, first.system_label: _section(section, costs, made)}
        write_in_one_stroke(write, json.dumps(dict(sorted(content.items())), indent=2) + "\n")
    if quiet:
        sys.stdout.write(f"{write or ''}\n")
        return 0
    rows = []
    notes = []
    for name, learner in zip(short_labels(learners), learners, strict=True):
        cost, own = found[priced_as(learner)], training_of(learner).updates
        if isinstance(cost, str):
            rows.append((name, "-", f"{own:,}", "", ""))
            notes.append(f"{name}: {cost}")
        else:
            rows.append((name, f"{cost:.3g}", f"{own:,}", f"{cost * own / 1e3:.2g}", f"{affordable(cost, seconds):,}"))
    heads = ("learner", "ms an update", "updates", "their s", f"in {seconds:g} s")
    console = Console(highlight=False, markup=False)
    console.print(table_of(heads, rows, range(1, 5)))
    for note in notes:
        console.print(note)
    return 0


def _kept(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """What a file of costs has for each system. Raises UserError where it is another kind of file."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        for section in content.values():
            dict(section["milliseconds"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path} is no file of costs: name another with --write") from error
    return content


def _check_comparable(known: Mapping[str, float], measured: Collection[str]) -> None:
    """Raise UserError where costs are known, but none of them is measured again, in whose time the others are told."""
    if known and measured and not known.keys() & set(measured):
        raise UserError(f"other costs were measured at another time: measure one of theirs, too, -l {min(known)!r}")


def _section(kept: Mapping[str, Any], found: Mapping[str, float], made: Mapping[str, Any]) -> dict[str, Any]:
    """The costs on one system, what they were measured on, and by which commands.

    Raises UserError where none that is known was measured again, by which the others could be compared with them.
    """
    known = kept.get("milliseconds", {})
    ratios = [known[name] / found[name] for name in known if name in found]
    new = {name: cost for name, cost in found.items() if name not in known}
    _check_comparable(known, found)
    pace = median(ratios) if ratios else 1.0
    if not kept:
        about = {key: made[key] for key in ("processor", "python", "torch", "seeds", "rounds", "started")}
        kept = {"commands": [], "revision": made["git"]["revision"], **about}
    commands = [*kept["commands"], made["command"]] if new else kept["commands"]
    costs = {**known, **{name: float(f"{pace * cost:.3g}") for name, cost in new.items()}}
    return {**kept, "commands": commands, "milliseconds": dict(sorted(costs.items()))}
