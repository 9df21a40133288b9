"""The shapes of what was read from JSON: which types, and which entries."""

from typing import Any


def fits(value: Any, shape: Any) -> bool:
    """Whether a value is of a type, a list of things of one shape, or a dictionary that has these entries.

    Entries whose names end with a question mark may be missing.
    """
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(
            fits(value[name.strip("?")], inner) if name.strip("?") in value else name.endswith("?")
            for name, inner in shape.items()
        )
    return isinstance(value, shape)
