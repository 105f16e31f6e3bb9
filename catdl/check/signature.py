"""Signatures taken apart: binders with their sorts, and the parts of both sides.

Real[..S, I] -> Real[..S, O]     binders S (row), I (axis); one LeafPart on each side
"""

from __future__ import annotations

from typing import TypeAlias

from catdl.check.scope import Env
from catdl.check.static import Statics
from catdl.record import record
from catdl.syntax import ast
from catdl.types.types import AxisItem, Label, Object


@record
class Row:
    """What a row binder stands for."""

    axes: tuple[AxisItem, ...]


@record
class LabelOf:
    """What a label binder stands for."""

    label: Label


@record
class LeafPart:
    """One tensor of a signature: `Probs(A)[..S, A]`."""

    node: ast.Expr
    kind: ast.Expr
    items: tuple[ast.Arg, ...]
    name: str | None
    whole: Whole | None = None


@record(eq=False)
class Whole:
    """A port that is several wires, such as a `Normal[Z]` beside others: one for each use."""

    name: str | None
    count: int


@record
class ObjectPart:
    """A leg of a signature that is an object binder."""

    binder: str
    name: str | None


@record
class FixedPart:
    """A leg of a signature that is a declared object."""

    node: ast.Expr
    value: Object
    name: str | None = None


@record
class OpenPart:
    """A leg that is no tensor and no object by name, read once its binders are known: `Stream[A](State)`."""

    node: ast.Expr
    name: str | None


@record
class ChoicePart:
    """A leg that a static argument decides: `mask: (if mask then Keep[T] else ())`."""

    condition: ast.Expr
    then: tuple[Part, ...]
    orelse: tuple[Part, ...]
    name: str | None


Part: TypeAlias = "LeafPart | ObjectPart | FixedPart | OpenPart | ChoicePart"


@record
class Scheme:
    """A signature taken apart once: binders with their sorts, the parts of both sides."""

    binders: tuple[tuple[str, str], ...]
    domain: tuple[Part, ...]
    codomain: tuple[Part, ...]
    random: bool
    generic: bool


def arrow_of(params: tuple[ast.StaticParam, ...] | None) -> list[ast.Expr]:
    """The arrows among the sorts of static parameters."""
    return [p.sort for p in params or () if isinstance(p.sort, ast.Arrow)]


def labelled(arg: ast.Arg) -> ast.Arg:
    """`C: 64` among arguments reads as the name of an occurrence; where an axis is meant it is a label and a size."""
    if arg.sep == "" and isinstance(arg.value, ast.Labelled):
        return ast.Arg(arg.value.name, ":", arg.value.body, arg.start, arg.end)
    return arg


def axis_sort(param: ast.StaticParam) -> bool:
    """Whether a static parameter is an axis: `O : axis`, or `O : axis(C)`, which takes C's label when none is given."""
    sort = param.sort.function if isinstance(param.sort, ast.Call) else param.sort
    return isinstance(sort, ast.Name) and sort.id == "axis"


def sized(param: ast.StaticParam) -> bool:
    """Whether a static parameter is an axis or a size."""
    return axis_sort(param) or (isinstance(param.sort, ast.Name) and param.sort.id == "size")


ORDERED = {"time": "axis"}  # an axis that is taken in its order, see `places.py`


def binder_sorts(node: ast.Morphism) -> dict[str, str]:
    """The sort of every binder, from where it stands in the signature: row, axis, label, size, kind or object."""
    names = {b.name: ("row" if b.row else ORDERED.get(b.sort or "", b.sort or "")) for b in node.binders}
    for param in node.params or ():
        if axis_sort(param) and param.name:
            names[param.name] = "axis"
    rank = {"": 0, "object": 1, "size": 2, "label": 3, "axis": 4}
    fixed = {name for name, sort in names.items() if sort}

    def note(name: str, sort: str) -> None:
        if name in names and name not in fixed and (sort == "kind" or rank.get(names[name], 9) < rank.get(sort, 9)):
            names[name] = sort

    stack: list[tuple[ast.Expr, str]] = [(e, "type") for e in [node.signature, *arrow_of(node.params)] if e is not None]
    while stack:
        expr, place = stack.pop()
        match expr:
            case ast.Name(id):
                note(id, {"type": "object", "size": "size", "axis": "axis"}[place])
            case ast.Index(base, items):
                if isinstance(base, ast.Name):
                    note(base.id, "kind")
                else:
                    stack.append((base, "type"))
                for item in items:
                    if item.sep == ":" and item.name:
                        note(item.name, "label")
                        stack.append((item.value, "size"))
                    else:
                        stack.append((item.value, "axis" if isinstance(item.value, (ast.Name, ast.Tuple)) else "size"))
            case ast.Call(_, args):
                stack += [(a.value, "size") for a in args]
            case ast.Tuple(items):
                stack += [(i.value, place) for i in items]
            case ast.Labelled(_, only):
                stack.append((only, place))
            case ast.Tensor(legs):
                stack += [(leg, place) for leg in legs]
            case ast.Arrow(domain, codomain):
                stack += [(domain, "type"), (codomain, "type")]
            case ast.Chain(operands, _):
                stack += [(o, "size") for o in operands]
            case ast.Negate(operand):
                stack.append((operand, "size"))
            case ast.Power(base, exponent):
                stack += [(base, place if place == "type" else "size"), (exponent, "size")]
            case ast.If(_, then, orelse):
                stack += [(then, place), (orelse, place)]
            case _:
                pass
    return {name: sort or "axis" for name, sort in names.items()}


def decided(parts: tuple[Part, ...], statics: Statics, env: Env) -> tuple[tuple[Part, ...], tuple[int, ...] | None]:
    """The legs with static choices made, and how many legs each written one became when any was a choice.

    Raises Refused.
    """
    if not any(isinstance(part, ChoicePart) for part in parts):
        return parts, None
    out: list[Part] = []
    widths: list[int] = []
    for part in parts:
        if isinstance(part, ChoicePart):
            chosen = part.then if statics.truth(part.condition, env) else part.orelse
            named = tuple(named_part(p, part.name) for p in chosen)
            out += named
            widths.append(len(named))
        else:
            out.append(part)
            widths.append(1)
    return tuple(out), tuple(widths)


def named_part(part: Part, name: str | None) -> Part:
    """A leg under the name of the port it fills."""
    match part:
        case LeafPart():
            return LeafPart(part.node, part.kind, part.items, name, part.whole)
        case ObjectPart():
            return ObjectPart(part.binder, name)
        case _:
            return part
