"""Overrides on the command line: `NeuralODE[lookahead=5,width=64]` is parsed, checked against the fields, applied."""

import ast
import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass, replace
from types import NoneType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from bench.errors import UserError, nearest, unknown

T = TypeVar("T")
Settings = Mapping[str, Any]  # of a component, those of nested ones under dotted names
CLOSING = {"(": ")", "[": "]", "{": "}"}
WORDS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class Override:
    """A component's name, and the text given for each of its fields; those of nested configurations are dotted."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)


def parse(text: str) -> Override:
    """Read `Name` or `Name[field=value,nested.field=value]`. Raises UserError."""
    match = re.fullmatch(r"\s*(\w+)\s*(?:\[(.*)\]\s*)?", text, re.DOTALL)
    if not match or not match[1].isidentifier():
        raise UserError(f"cannot read {text!r}: write Name or Name[field=value,field=value]")
    values: dict[str, str] = {}
    for item in split(match[2] or "", text):
        name, _, value = (part.strip() for part in item.partition("="))
        if not value or not all(part.isidentifier() for part in name.split(".")):
            raise UserError(f"cannot read {item.strip()!r} in {text!r}: write field=value, separated by commas")
        if name in values:
            raise UserError(f"{name} is given twice in {text!r}: give it once")
        values[name] = value
    return Override(match[1], values)


def build(kind: type[T], values: Mapping[str, str]) -> T:
    """A component of a class, from its defaults and the given fields; fields without a default must be among them."""
    required = [item.name for item in _settings(kind) if item.default is item.default_factory is MISSING]
    missing = [name for name in required if name not in values]
    if missing:
        raise UserError(f"{kind.__name__} needs {', '.join(missing)}: write {kind.__name__}[{missing[0]}=...]")
    given = {name: _validated(kind, name, values[name], f"{kind.__name__}.{name}") for name in required}
    try:
        component = kind(**given)
    except Exception as error:
        raise _refused(kind.__name__, error) from error
    return apply(component, {name: text for name, text in values.items() if name not in required})


def split(inside: str, text: str) -> Iterator[str]:
    """The items between commas, but not those commas that stand inside quotes or brackets. Raises UserError.

    `text` is what the user gave, for the message.
    """
    item = ""
    open_brackets = ""
    quote = ""
    for character in inside:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in CLOSING:
            open_brackets += CLOSING[character]
        elif character in CLOSING.values():
            if not open_brackets.endswith(character):
                raise UserError(f"unbalanced {character} in {text!r}: close every bracket")
            open_brackets = open_brackets[:-1]
        elif character == "," and not open_brackets:
            yield item
            item = ""
            continue
        item += character
    if quote or open_brackets:
        raise UserError(f"{(quote or open_brackets[-1])!r} is missing in {text!r}: close every bracket and quote")
    if item.strip():
        yield item


def apply(component: T, values: Mapping[str, str], path: str = "") -> T:
    """The component with the given fields replaced, after their texts are validated by type. Raises UserError.

    `path` is what the component is called in messages, if not by its class.
    """
    path = path or type(component).__name__
    names = [item.name for item in _settings(component)]
    nested: dict[str, dict[str, str]] = {}
    changed: dict[str, Any] = {}
    for name, text in values.items():
        head, _, rest = name.partition(".")
        if not names:
            raise UserError(f"{path} has no field to set, so not {head}")
        if head not in names:
            raise unknown(f"field of {path},", head, names)
        if rest:
            nested.setdefault(head, {})[rest] = text
        else:
            changed[head] = _validated(type(component), head, text, f"{path}.{head}")
    for head, inner in nested.items():
        if head in changed or not is_dataclass(getattr(component, head)):
            has = "is also given as a whole" if head in changed else "has no fields of its own"
            raise UserError(f"{path}.{head} {has}: write {head}=value without {head}.{next(iter(inner))}")
        changed[head] = apply(getattr(component, head), inner, f"{path}.{head}")
    try:
        return replace(component, **changed)  # type: ignore[type-var]
    except Exception as error:
        raise _refused(path, error) from error


def _settings(kind: Any) -> list[Field[Any]]:
    return [item for item in fields(kind) if item.init]


def _refused(path: str, error: Exception) -> UserError:
    """What a configuration says of values that it does not take: its own message, where that is a ValueError."""
    if isinstance(error, ValueError):
        return UserError(str(error))
    return UserError(f"{path} does not take these values ({type(error).__name__}: {error})")


def _validated(kind: type, name: str, text: str, path: str) -> Any:
    """The value that a text stands for, of the type that the field is annotated with."""
    annotation = get_type_hints(kind)[name]
    for candidate in _candidates(text):
        value = _coerced(annotation, candidate)
        if value is not MISSING:
            return value
    choices = [str(choice) for choice in get_args(annotation)] if get_origin(annotation) is Literal else []
    close = nearest(text, choices)
    if is_dataclass(annotation):
        example = next((item.name for item in fields(annotation)), "field")
        raise UserError(f"{path} is set field by field, but got {text!r}: write {name}.{example}=...")
    suggestion = f": did you mean {close}?" if close else ""
    items = [item.strip() for item in text.strip("()[]").split(",")]
    lists = ([next(_candidates(item)) for item in items], items)
    if listed := next((one for one in lists if _coerced(annotation, one) is not MISSING), None):
        suggestion = f": write {name}={listed}"
    raise UserError(f"{path} expects {_expected(annotation)}, but got {text!r}{suggestion}")


def _candidates(text: str) -> Iterator[Any]:
    """What a text may mean: a word such as `true`, a Python literal, or just itself, in this order."""
    if text.lower() in WORDS:
        yield WORDS[text.lower()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            yield ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        pass
    yield text


def _coerced(annotation: Any, value: Any) -> Any:
    """The value as the annotated type, or MISSING where it is none: 3 is a float, but 2.5 no int and True neither."""
    from pydantic import ConfigDict, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter = TypeAdapter(annotation, config=None if is_dataclass(annotation) else ConfigDict(strict=False))
        valid = adapter.validate_python(value, strict=isinstance(value, bool))
    except (ValidationError, PydanticUserError):
        return MISSING
    return valid if _is_finite(valid) else MISSING


def _is_finite(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


def _expected(annotation: Any) -> str:
    """An annotation in words."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return f"one of {', '.join(str(choice) for choice in arguments)}"
    if NoneType in arguments:
        return " or ".join("none" if one is NoneType else _expected(one) for one in arguments)
    if Ellipsis in arguments:
        return f"a list of {_expected(arguments[0])}"
    if annotation is float:
        return "a finite number"
    return annotation.__name__ if isinstance(annotation, type) and not arguments else str(annotation)


def set_to(learner: T, settings: Settings) -> T:
    """The learner with other settings, those of nested configurations under dotted names. Raises UserError."""
    return apply(learner, {name: repr(value) for name, value in settings.items()})
