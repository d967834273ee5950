"""A record is to its users what a named tuple is; both are made of the same lines here, and asked the same things."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Generic, NamedTuple, TypeVar, get_type_hints

import pytest

from dynclient._records import Record

T = TypeVar("T")


class Point(Record):
    """A place."""

    x: int
    y: float = 0.5
    name: str = ""

    @property
    def doubled(self):
        return self._replace(x=2 * self.x)

    def __str__(self):
        return f"{self.name} at {self.x}"


class Tuple(NamedTuple):
    """A place."""

    x: int
    y: float = 0.5
    name: str = ""

    @property
    def doubled(self):
        return self._replace(x=2 * self.x)

    def __str__(self):
        return f"{self.name} at {self.x}"


class Empty(Record):
    """Nothing."""


class Named(Point):
    """One that has a place."""

    label = "label"

    def __new__(cls, x):
        return super().__new__(cls, x, name="named")


class Box(Record, Generic[T]):
    """One thing."""

    thing: T


GIVEN = [
    ((1,), {}),
    ((1, 2.0), {}),
    ((1, 2.0, "a"), {}),
    ((), {"x": 1}),
    ((1,), {"name": "a"}),
    ((), {"name": "a", "x": 1, "y": 3}),
    ((), {}),
    ((1, 2, 3, 4), {}),
    ((1,), {"x": 1}),
    ((1,), {"z": 1}),
    ((), {"y": 1}),
    ((1, 2, 3, 4), {"x": 1}),
    ((1, 2, 3), {"z": 1}),
    ((), {"z": 1}),
]


def told(call):
    try:
        return call()
    except AttributeError as error:
        return type(error)
    except (TypeError, ValueError):
        # Which of the two it is differs between versions of Python.
        return "wrong"


@pytest.mark.parametrize(("values", "named"), GIVEN)
def test_it_takes_what_a_named_tuple_takes(values, named):
    assert told(lambda: Point(*values, **named)) == told(lambda: Tuple(*values, **named))


def parameters(made):
    return inspect.signature(type(made)).parameters.values()


ASKED = [
    lambda made: made.x,
    lambda made: made.name,
    lambda made: made.unknown,
    lambda made: made.doubled,
    str,
    lambda made: made[1],
    len,
    lambda made: (*made,),
    hash,
    lambda made: made == (1, 2.0, "a"),
    lambda made: made < (1, 3.0, "a"),
    lambda made: made._fields,
    lambda made: made._field_defaults,
    lambda made: made.__match_args__,
    lambda made: made._asdict(),
    lambda made: list(made._asdict()),
    lambda made: made._replace(y=7),
    lambda made: made._replace(unknown=7),
    lambda made: copy.replace(made, y=7),  # since Python 3.13
    lambda made: copy.replace(made, unknown=7),
    lambda made: type(made)._make([4, 5, 6]),
    lambda made: type(made)._make([4]),
    lambda made: type(made)._make([4, 5, 6, 7]),
    lambda made: setattr(made, "x", 2),
    lambda made: setattr(made, "unknown", 2),
    lambda made: hasattr(made, "__dict__"),
    copy.deepcopy,
    copy.copy,
    lambda made: pickle.loads(pickle.dumps(made)),
    lambda made: [(each.name, each.kind, each.default) for each in parameters(made)],
    lambda made: get_type_hints(type(made)),
    lambda made: type(made).__doc__,
    lambda made: repr(made).replace("Tuple", "Point"),
]


@pytest.mark.parametrize("asked", ASKED)
def test_it_answers_as_a_named_tuple(asked):
    own, other = Point(1, 2.0, "a"), Tuple(1, 2.0, "a")
    found, expected = told(lambda: asked(own)), told(lambda: asked(other))
    assert found == expected
    assert (type(found) is Point) == (type(expected) is Tuple)


def test_a_pattern_takes_it_apart():
    match Point(1, name="a"):
        case Point(x, _, name=name):
            assert (x, name) == (1, "a")


@pytest.mark.parametrize(
    ("values", "named", "text"),
    [
        ((), {}, "Point() misses the argument 'x'"),
        ((1, 2, 3, 4), {}, "Point() takes at most 3 arguments, not 4"),
        ((1,), {"x": 1}, "Point() got the argument 'x' twice"),
        ((1,), {"z": 1}, "Point() got an unexpected argument 'z'"),
    ],
)
def test_what_is_wrong_is_told(values, named, text):
    with pytest.raises(TypeError) as caught:
        Point(*values, **named)
    assert str(caught.value) == text


def test_a_default_comes_last():
    with pytest.raises(TypeError, match="a member without a default follows one with a default"):
        type(Record)("Wrong", (Record,), {"__annotations__": {"a": "int", "b": "int"}, "a": 1})


def test_a_class_of_one_is_a_class_as_any_other():
    made = Named(3)
    assert made == (3, 0.5, "named")
    assert (made.label, made.name, made._fields) == ("label", "named", ("x", "y", "name"))
    made.note = "it has room for more"
    assert str(inspect.signature(Named)) == "(x)"
    assert type(made._replace(x=4)) is Named


def test_one_may_have_no_members_and_one_may_be_generic():
    assert Empty() == ()
    assert Box[int](1).thing == 1
    with pytest.raises(TypeError, match="unexpected argument 'x'"):
        Empty(x=1)
