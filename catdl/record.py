"""Records: frozen, slotted classes that are cheap to define.

`@record` guarantees what `@dataclass(frozen=True, slots=True)` does: `__init__` with defaults, `==`, `hash`, `repr`,
patterns of `match`, copying and pickling. The difference is the price: the standard decorator takes about half a
millisecond for each class, and the hundred classes of a check would cost more than the check of a model. Here an
`__init__` is compiled when it is first called, and all else is shared code.

    @record
    class Name:
        id: str
        start: int = 0

    Name("x") == Name("x", start=0)
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")

_MISSING: Any = object()


class _Made:
    """A field whose default is made anew for each record."""

    __slots__ = ("factory", "init")

    def __init__(self, factory: Callable[[], Any], init: bool) -> None:
        self.factory = factory
        self.init = init


def field(*, default_factory: Callable[[], Any], init: bool = True) -> Any:
    """A default made for each record; with `init` False the field is no argument and no part of `==` and `repr`."""
    return _Made(default_factory, init)


@overload
def record(cls: type[T], /) -> type[T]: ...
@overload
def record(*, frozen: bool = True, eq: bool = True) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[Any] | None = None, /, *, frozen: bool = True, eq: bool = True) -> Any:
    """Make a record of a class. One that is not `frozen` has no hash; without `eq` a record equals only itself."""
    if cls is None:
        return lambda found: _make(found, frozen, eq)
    return _make(cls, frozen, eq)


def names(kind: type) -> tuple[str, ...]:
    """The fields of a record class, in order, that are its arguments."""
    found: tuple[str, ...] = kind.__match_args__  # type: ignore[attr-defined]
    return found


def replace(value: T, /, **changes: object) -> T:
    """A record with some fields changed. Raises TypeError for a name that is no field."""
    kind: Any = type(value)
    return kind(**{name: getattr(value, name) for name in names(kind)} | changes)  # type: ignore[no-any-return]


def _make(cls: type[Any], frozen: bool, eq: bool) -> type[Any]:
    """The class anew, with slots, which a class must have from the start."""
    body = dict(cls.__dict__)
    body.pop("__dict__", None)
    body.pop("__weakref__", None)
    fields = tuple(name for name, kind in body.get("__annotations__", {}).items() if not kind.startswith("ClassVar"))
    defaults = {name: body.pop(name) for name in fields if name in body}
    made_late = {name for name, value in defaults.items() if isinstance(value, _Made) and not value.init}
    arguments = tuple(name for name in fields if name not in made_late) if made_late else fields
    values: Callable[[Any], object] = attrgetter(*arguments) if arguments else _nothing
    body["__slots__"] = fields
    body["__match_args__"] = arguments
    body.setdefault("__repr__", _repr)
    if eq:
        body.setdefault("__eq__", _equal(values))
        body.setdefault("__hash__", _hash(values) if frozen else None)
    if frozen:
        body["__setattr__"] = body["__delattr__"] = _refuse
        body["__reduce__"] = _reduce
    kind: Any = type(cls)
    made: Any = kind(cls.__name__, cls.__bases__, body)
    made.__init__ = _first(made, fields, defaults, frozen)
    return made  # type: ignore[no-any-return]


def _first(made: Any, fields: tuple[str, ...], defaults: dict[str, Any], frozen: bool) -> Callable[..., None]:
    """An `__init__` that compiles the real one and gives way to it: many classes are never used in a run."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        real = _initialiser(made, fields, defaults, frozen)
        made.__init__ = real
        real(self, *args, **kwargs)

    return __init__


def _initialiser(
    made: type[Any], fields: tuple[str, ...], defaults: dict[str, Any], frozen: bool
) -> Callable[..., None]:
    """The `__init__` of a class; frozen slots are written directly, past the `__setattr__` that keeps others out."""
    space: dict[str, Any] = {"MISSING": _MISSING}
    parameters, lines = [], []
    for name in fields:
        value, default = name, defaults.get(name, _MISSING)
        if isinstance(default, _Made):
            space[f"make_{name}"] = default.factory
            value = f"make_{name}()" if not default.init else f"make_{name}() if {name} is MISSING else {name}"
            default_text = "=MISSING"
        elif default is not _MISSING:
            space[f"default_{name}"] = default
            default_text = f"=default_{name}"
        else:
            default_text = ""
        if not (isinstance(default, _Made) and not default.init):
            parameters.append(f", {name}{default_text}")
        if frozen:
            space[f"set_{name}"] = made.__dict__[name].__set__
            lines.append(f"    set_{name}(self, {value})")
        else:
            lines.append(f"    self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        lines.append("    self.__post_init__()")
    text = f"def __init__(self{''.join(parameters)}):\n" + "\n".join(lines or ["    pass"])
    exec(text, space)
    real: Callable[..., None] = space["__init__"]
    real.__qualname__ = f"{made.__qualname__}.__init__"
    return real


def _nothing(self: object) -> tuple[()]:
    return ()


def _equal(values: Callable[[Any], object]) -> Callable[[Any, object], bool]:
    def __eq__(self: Any, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return self is other or values(self) == values(other)

    return __eq__


def _hash(values: Callable[[Any], object]) -> Callable[[Any], int]:
    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __hash__


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names(type(self)))
    return f"{type(self).__qualname__}({shown})"


def _reduce(self: Any) -> tuple[type, tuple[object, ...]]:
    return type(self), tuple(getattr(self, name) for name in names(type(self)))


def _refuse(self: object, name: str, *value: object) -> None:
    from dataclasses import FrozenInstanceError  # a slow import, for what never happens in a program that is right

    raise FrozenInstanceError(f"cannot change field {name!r}")
