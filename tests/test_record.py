"""Records behave as frozen, slotted dataclasses do."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError

import pytest

from catdl.record import field, names, record, replace


@record
class Point:
    x: int
    y: int = 0


@record(frozen=False)
class Shelf:
    name: str
    items: list[int] = field(default_factory=list)


@record(frozen=False, eq=False)
class Place:
    name: str


@record
class Lines:
    text: str
    starts: list[int] = field(default_factory=list, init=False)


@record
class Nothing:
    pass


def test_arguments_and_defaults() -> None:
    assert Point(1) == Point(x=1, y=0) != Point(1, 1)
    with pytest.raises(TypeError, match="Point"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, z=2)  # type: ignore[call-arg]


def test_equality_hash_and_repr() -> None:
    assert hash(Point(1)) == hash(Point(1))
    assert repr(Point(1, 2)) == "Point(x=1, y=2)"
    assert Nothing() == Nothing()
    assert Place("a") != Place("a")
    assert Lines("a") == Lines("a")
    with pytest.raises(TypeError):
        hash(Shelf("a"))


def test_frozen_and_slotted() -> None:
    point = Point(1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x
    shelf = Shelf("a")
    shelf.name = "b"
    assert not hasattr(shelf, "__dict__")


def test_a_factory_makes_anew() -> None:
    Shelf("a").items.append(1)
    assert Shelf("b").items == []
    assert Shelf("c", [2]).items == [2]
    assert names(Lines) == ("text",)


def test_patterns_copies_and_changes() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)
    for value in (Point(1, 2), Shelf("a", [1]), Lines("a"), Nothing()):
        assert pickle.loads(pickle.dumps(value)) == value == copy.deepcopy(value)
    assert replace(Point(1, 2), y=3) == Point(1, 3)
