"""The runtime type checker of the tests: beartype, with an int welcome where a float is asked for.

Shapes are checked in the first calls of each test alone. A check takes longer than most of what is called, and after
some hundred calls a test has come to the loops that repeat them: with all checked, tests of learners take twice as
long.
"""

from collections.abc import Callable
from functools import wraps
from itertools import count
from typing import Any

import jaxtyping
from beartype import BeartypeConf, beartype

CALLS = 500  # that are checked in each test

_type_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
_calls = count()


def begin() -> None:
    """Check the next calls."""
    global _calls
    _calls = count()
    jaxtyping.config.update("jaxtyping_disable", value=False)


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function with its arguments and result checked, until the test has had its calls."""
    inner = _type_checked(function)

    @wraps(function)
    def counted(*arguments: Any, **settings: Any) -> Any:
        if next(_calls) == CALLS:
            jaxtyping.config.update("jaxtyping_disable", value=True)
        return inner(*arguments, **settings)

    return counted
