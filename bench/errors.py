"""How commands end: exit codes, and mistakes told in one line that names the nearest valid choice.

All exceptions of ours, in every package:

ValueError
├── UserError                what the user wrote cannot be done; one line, no traceback, exit code 2
├── UnreadableError          results.store.errors: files that cannot be read, told like a UserError
│   ├── MissingCellError     a cell that is not finished yet
│   ├── DamagedCellError     a cell whose files are not the ones that were written
│   ├── StoreVersionError    a store whose layout this program does not know
│   ├── BrokenRunError       a folder that holds no run, or a manifest that cannot be read
│   ├── BrokenBaselineError  a file that holds no baseline of a run
│   ├── BrokenTimingError    a file that holds no timings, or none that can be compared
│   └── IncomparableError    runs or times that cannot be set beside each other
├── Unsuitable               learners.base: a learner does not apply to the data; its trials are skipped
└── Undefined                metrics.validation: a trial leaves a metric nothing to measure; it has no value
RuntimeError
└── SolverError              learners.base: an adaptive solver cannot go on; the trial has failed
Exception
└── InapplicableError        bench.timing.updates: a way of launching or computing that this machine lacks
KeyboardInterrupt
└── Interrupted              bench.runner.outcomes: the user stopped a run; it holds what was finished
BaseException
└── ModelNeededError         bench.cells.evidence: a metric needs the model itself, which has to be trained again
"""

import sys
from collections.abc import Iterable
from difflib import SequenceMatcher, get_close_matches
from itertools import takewhile
from math import inf

CHECK_FAILED, MISTAKEN, SOME_FAILED, NOTHING_MEASURED, INTERRUPTED = 1, 2, 3, 4, 130
UNREAD = 141  # nobody reads the output any longer: as of a program that SIGPIPE ends


class UserError(ValueError):
    """What the user wrote cannot be done; the message names what, where, and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """The text on a single printable line: white space squeezed, control characters and lone surrogates escaped."""
    squeezed = " ".join(text.split())
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in squeezed)


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most like `name`, capitals aside, of equals that which begins alike; None where nothing is alike."""
    by_lower = {choice.lower(): choice for choice in choices}
    name = name.lower()

    def likeness(choice: str) -> tuple[float, int]:
        alike_from_the_start = takewhile(lambda pair: pair[0] == pair[1], zip(choice, name, strict=False))
        return SequenceMatcher(None, choice, name).ratio(), len(list(alike_from_the_start))

    alike = get_close_matches(name, by_lower, n=3, cutoff=0.5)
    return by_lower[max(alike, key=likeness)] if alike else None


def unknown(kind: str, name: str, choices: Iterable[str], remedy: str = "") -> UserError:
    """The mistake of naming something that does not exist: with the nearest choice, all choices, and the remedy."""
    choices = list(choices)
    close = nearest(name, choices)
    suggestion = f"did you mean {close}? Choose" if close else "choose"
    listed = f"{suggestion} from {', '.join(choices)}" if choices else "there are none"
    return UserError(f"unknown {kind} {name!r}: {listed}" + (f" ({remedy})" if remedy else ""))


def at_least(option: str, value: int | None, least: int) -> None:
    """Raise UserError where a number that was given is too small."""
    if value is not None and value < least:
        raise UserError(f"{option} must be at least {least}, but is {value}")


def positive(option: str, value: float | None, unit: str) -> None:
    """Raise UserError where a number that was given is not a finite one above 0."""
    if value is not None and not 0 < value < inf:
        raise UserError(f"{option} must be a positive number of {unit}, but is {value:g}")


def print_to_stderr(text: str) -> None:
    """Print a line for the user on the error stream."""
    sys.stderr.write(f"{text}\n")
