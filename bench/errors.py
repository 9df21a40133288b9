"""How commands end: exit codes, and mistakes told in one line that names the nearest valid choice.

ValueError
└── UserError    shown as `error: ...`, without a traceback; the program ends with exit code 2
"""

import sys
from collections.abc import Iterable
from difflib import get_close_matches
from math import inf

CHECK_FAILED, MISTAKEN, SOME_FAILED, NOTHING_MEASURED, INTERRUPTED = 1, 2, 3, 4, 130


class UserError(ValueError):
    """What the user wrote cannot be done; the message names what, where, and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str) -> str:
    """The text on a single printable line: white space squeezed, control characters and lone surrogates escaped."""
    squeezed = " ".join(text.split())
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in squeezed)


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most like `name`, capitals aside; None where nothing is alike."""
    by_lower = {choice.lower(): choice for choice in choices}
    alike = get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[alike[0]] if alike else None


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
