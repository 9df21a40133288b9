"""Overrides: what can be written in brackets, what is refused, and how the refusal reads."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.catalogue.settings import apply, build, parse
from bench.errors import UserError
from systems import Lorenz
from systems.configuration import label


@dataclass(frozen=True)
class Schedule:
    rate: float = 1e-3
    steps: int = 100

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps must be positive, but is {self.steps}")


@dataclass(frozen=True)
class Toy:
    width: int = 64
    step: float = 0.1
    cell: Literal["rnn", "gru", "lstm"] = "gru"
    layers: tuple[int, ...] = (64, 64)
    name: str = "toy"
    bias: bool = True
    limit: float | None = None
    schedule: Schedule = field(default_factory=Schedule)
    opaque: Any = field(default=0, init=False)


@dataclass(frozen=True)
class Recorded:
    path: str
    column: int = 0

    def __post_init__(self) -> None:
        if not self.path.endswith(".csv"):
            raise ValueError(f"path must end in .csv, but is {self.path}")


@dataclass(frozen=True)
class Odd:
    callback: object = None

    def __post_init__(self) -> None:
        if self.callback is not None:
            raise RuntimeError("no\ncallbacks")


TOY = Toy()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("Toy", {}),
        ("  Toy [ ] ", {}),
        ("Toy[width=5]", {"width": "5"}),
        ("Toy[ width = 5 , cell = lstm, ]", {"width": "5", "cell": "lstm"}),
        ("Toy[layers=(1, 2),schedule.rate=-1e-3]", {"layers": "(1, 2)", "schedule.rate": "-1e-3"}),
        ("Toy[layers=[1, [2, 3]]]", {"layers": "[1, [2, 3]]"}),
        ("Toy[name='a, b]=[', width=1]", {"name": "'a, b]=['", "width": "1"}),
        ("Toy[name=a=b]", {"name": "a=b"}),
    ],
)
def test_fields_are_separated_by_commas_outside_quotes_and_brackets(text, values):
    override = parse(text)
    assert (override.name, override.values) == ("Toy", values)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "write Name or Name[field=value"),
        ("3Toy", "write Name or Name[field=value"),
        ("Toy[width=5", "write Name or Name[field=value"),
        ("Toy width=5", "write Name or Name[field=value"),
        ("Toy[width]", "cannot read 'width'"),
        ("Toy[width=]", "cannot read 'width='"),
        ("Toy[=5]", "cannot read '=5'"),
        ("Toy[wi dth=5]", "cannot read 'wi dth=5'"),
        ("Toy[width=5,,cell=rnn]", "cannot read ''"),
        ("Toy[width=5,width=6]", "width is given twice"),
        ("Toy[layers=(1,2]", "')' is missing"),
        ("Toy[layers=(1,2]]", "unbalanced ]"),
        ("Toy[layers=(1,2,width=3]", "')' is missing"),
        ("Toy[name='a]", '"\'" is missing'),
    ],
)
def test_what_cannot_be_read_is_shown_with_the_form_to_write(text, complaint):
    with pytest.raises(UserError) as refusal:
        parse(text)
    assert complaint in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "128", 128),
        ("width", "1e3", 1000),
        ("step", "3", 3.0),
        ("step", "-.5", -0.5),
        ("cell", "lstm", "lstm"),
        ("cell", "'rnn'", "rnn"),
        ("layers", "(1, 2, 3)", (1, 2, 3)),
        ("layers", "[8]", (8,)),
        ("layers", "()", ()),
        ("name", "5", "5"),
        ("name", "true", "true"),
        ("name", "'a, b'", "a, b"),
        ("bias", "false", False),
        ("bias", "True", True),
        ("limit", "none", None),
        ("limit", "2.5", 2.5),
    ],
)
def test_a_value_becomes_what_its_field_is_annotated_with(name, text, value):
    found = getattr(apply(TOY, {name: text}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("width", "wide", "Toy.width expects int, but got 'wide'"),
        ("width", "2.5", "Toy.width expects int, but got '2.5'"),
        ("width", "True", "Toy.width expects int, but got 'True'"),
        ("step", "nan", "Toy.step expects a finite number, but got 'nan'"),
        ("step", "1e999", "Toy.step expects a finite number, but got '1e999'"),
        ("cell", "lstn", "Toy.cell expects one of rnn, gru, lstm, but got 'lstn': did you mean lstm?"),
        ("cell", "[]", "Toy.cell expects one of rnn, gru, lstm, but got '[]'"),
        ("layers", "64", "Toy.layers expects a list of int, but got '64': write layers=[64]"),
        ("layers", "(64)", "Toy.layers expects a list of int, but got '(64)': write layers=[64]"),
        ("layers", "[wide]", "Toy.layers expects a list of int, but got '[wide]'"),
        ("limit", "high", "Toy.limit expects a finite number or none, but got 'high'"),
        ("schedule", "fast", "Toy.schedule is set field by field, but got 'fast': write schedule.rate=..."),
        ("schedule.rate", "fast", "Toy.schedule.rate expects a finite number, but got 'fast'"),
        ("witdh", "5", "unknown field of Toy, 'witdh': did you mean width? Choose from width, step, cell"),
        ("schedule.stepz", "5", "unknown field of Toy.schedule, 'stepz': did you mean steps? Choose from rate, steps"),
        ("opaque", "5", "unknown field of Toy, 'opaque'"),
        ("width.x", "5", "Toy.width has no fields of its own"),
    ],
)
def test_a_wrong_field_or_value_is_named_with_what_would_be_right(name, text, complaint):
    with pytest.raises(UserError) as refusal:
        apply(TOY, {name: text})
    assert complaint in str(refusal.value)


def test_nested_fields_are_replaced_together_and_leave_the_others():
    changed = apply(Toy(schedule=Schedule(rate=0.5)), {"schedule.steps": "7", "width": "1"})
    assert changed == Toy(width=1, schedule=Schedule(rate=0.5, steps=7))


def test_a_nested_configuration_cannot_be_given_as_a_whole_and_in_part():
    with pytest.raises(UserError, match="is set field by field"):
        apply(TOY, {"schedule": "fast", "schedule.rate": "1"})


def test_what_a_configuration_says_of_its_values_passes_through():
    with pytest.raises(UserError) as refusal:
        apply(TOY, {"schedule.steps": "-3"})
    assert str(refusal.value) == "steps must be positive, but is -3"


def test_any_other_exception_of_a_configuration_is_told_on_one_line_with_its_type():
    with pytest.raises(UserError) as refusal:
        apply(Odd(), {"callback": "5"})
    assert str(refusal.value) == "Odd does not take these values (RuntimeError: no callbacks)"


def test_fields_without_default_must_be_given():
    assert build(Recorded, {"path": "a.csv", "column": "2"}) == Recorded("a.csv", 2)
    with pytest.raises(UserError) as refusal:
        build(Recorded, {"column": "2"})
    assert str(refusal.value) == "Recorded needs path: write Recorded[path=...]"
    with pytest.raises(UserError, match=r"^path must end in \.csv, but is a\.txt$"):
        build(Recorded, {"path": "a.txt"})


def test_a_component_without_fields_says_so():
    @dataclass(frozen=True)
    class Plain:
        pass

    with pytest.raises(UserError, match="Plain has no field to set, so not width"):
        apply(Plain(), {"width": "1"})


numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)
toys = st.builds(
    Toy,
    width=st.integers(),
    step=numbers,
    cell=st.sampled_from(["rnn", "gru", "lstm"]),
    layers=st.lists(st.integers(), max_size=3).map(tuple),
    name=st.from_regex(r"[a-z][a-z0-9_/.-]*", fullmatch=True).filter(
        lambda name: name not in ("true", "false", "none")
    ),
    bias=st.booleans(),
    limit=st.none() | numbers,
    schedule=st.builds(Schedule, rate=numbers, steps=st.integers(1, 10**6)),
)


@given(toys)
@settings(deadline=None, max_examples=60)
def test_a_label_read_as_an_override_gives_the_component_that_it_labels(toy):
    override = parse(label(toy))
    assert override.name == "Toy"
    assert apply(TOY, override.values) == toy


def outcome(attempt: Callable[[], Any]) -> Any:
    """What an attempt returns, or the one printable line with which it is refused."""
    try:
        return attempt()
    except UserError as error:
        return line if (line := str(error)).isprintable() else None


@given(st.text() | st.text("Toy[]()=,.'\"0123-einfa ").map("Toy[{}]".format) | st.text().map("Toy[width={}]".format))
@settings(deadline=None, max_examples=300)
def test_any_text_is_either_an_override_or_one_clear_line(text):
    assert isinstance(outcome(lambda: apply(TOY, parse(text).values)), (Toy, str))


@given(st.sampled_from(["sigma", "rho", "beta"]), st.text(min_size=1))
@settings(deadline=None, max_examples=100)
def test_any_text_is_either_a_finite_parameter_or_one_clear_line(name, text):
    found = outcome(lambda: getattr(apply(Lorenz(), {name: text}), name))
    if isinstance(found, str):
        assert f"Lorenz.{name} expects a finite number, but got" in found
    else:
        assert isfinite(found)
