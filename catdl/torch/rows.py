"""Steps along var dims as torch: methods of the `Segments` that a dim has in generated code.

segment(w, step, Segment("mean", N), [x])      "N.mean(x)"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catdl.torch.context import Context, move
from catdl.torch.pointwise import number_text
from catdl.torch.scope import Value
from catdl.torch.steps import Segment, Step
from catdl.types.dtypes import storage
from catdl.types.ragged import row
from catdl.types.sizes import sub, sym

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


def segment(w: Writer, step: Step, op: Segment, inputs: list[Value]) -> str:
    """The expression of a step along a var dim."""
    wires = w.unit.flat.wires
    n = w.scope.segments(op.dim)
    c = Context(w.scope, list(inputs), tuple(wires[wire].type for wire in step.outputs))
    match op.fn:
        case "spread":
            return f"{n}.spread({c.x()})" if c.batched() else _repeated(c, f"{n}.total")
        case "mean" | "max" | "min" if op.args and op["empty"] != 0:
            return f"{n}.{op.fn}({c.x()}, empty={number_text(op['empty'])})"
        case "local" | "through":
            by = _by(w, step.inputs[0])
            text = c.x() if c.batched() else _repeated(c, f"{by}.total" if by else f"{n}.count")
            return f"{n}.{op.fn}({text}{f', {by}' if by else ''})"
        case "index":
            return f"{n}.index"
        case "start" | "narrow":
            return f"{w.walk(op['mark'], op.dim, op['reverse'])}.{op.fn}({c.x()})"
        case "fused":
            return f'{n}.fused("{op["cell"]}", {c.xs()})'
        case "affine_scan":
            return f"{n}.affine_scan({c.xs()}{', reverse=True' if op['reverse'] else ''})"
        case "size":
            text = w.scope.size(op["value"])
            return f"({text}).to({w.scope.dtype()})" if storage(c.outputs[0].kind) == "float" else text
        case "scan":
            return f'{n}.scan({c.x()}, "{op["fn"]}"{", reverse=True" if op["reverse"] else ""})'
        case "at":
            start = op["start"]
            first = start if isinstance(start, int) else sub(start, sym(op.dim))
            text = f"{n}.at({c.x()}, {first}, {op['step']}, {op['size']})"
            return move(text, (1,), (op["axis"] + 1,))
        case "first":
            return _first(c, n, op)
        case "pad":
            return move(f"{n}.pad({c.x()}, {w.scope.size(op['size'])})", (1,), (op["axis"] + 1,))
        case "take":
            return _take(c, op["axis"])
        case "pick":
            return f"{c.x()}.gather(0, {c.x(1)})"
        case "scatter" | "bins":
            return _scatter(w, c, n, op, len(wires[step.outputs[0]].type.axes))
        case "attend":
            return _attend(w, c, n, op)
        case _:
            return f"{n}.{op.fn}({c.x()})"


def _by(w: Writer, wire: int) -> str | None:
    """The segments that a wire is packed by."""
    axis = w.unit.flat.wires[wire].rows
    name = row(axis.size) if axis is not None else None
    return None if name is None else w.scope.segments(name)


def _repeated(c: Context, count: str) -> str:
    """What is the same for the whole batch, repeated."""
    value = c.inputs[0]
    if value.scalar:
        dtype = c.tensor(value).partition("dtype=")[2]
        return f"torch.full(({count},), {value.text}, dtype={dtype}"
    return f"{c.x()}.expand({count}{', -1' * value.rank})"


def _first(c: Context, n: str, op: Segment) -> str:
    """As many elements of an axis as each sample has of its own."""
    place = f"{n}.place" if op["step"] == 1 else f"{op['step']} * {n}.place"
    place = place if op["start"] == 0 else f"{op['start']} + {place}"
    axis = op["axis"]
    if not c.batched():
        return move(f"{c.x()}.index_select({axis}, {place})", (axis,), (0,))
    return f"{move(c.x(), (axis + 1,), (1,))}[{n}.sample, {place}]"


def _take(c: Context, axis: int) -> str:
    """The elements that an index names, where it stood."""
    text = f"{c.x()}[{c.x(1)}]"
    own = c.rank(1)
    if not axis or not own:
        return text
    return move(text, tuple(range(own + 1, own + 1 + axis)), tuple(range(1, axis + 1)))


def _scatter(w: Writer, c: Context, n: str, op: Segment, rank: int) -> str:
    axis, fn = op["axis"], "" if op["fn"] == "sum" else f', "{op["fn"]}"'
    if op.fn == "bins":  # so many for each sample
        size = w.scope.size(op["size"])
        w.scope.imports.add("scattered")
        index = f"{n}.sample * {size} + {c.x(1)}"
        text = f'scattered({c.x()}, {index}, {n}.count * {size}, "{op["fn"]}").unflatten(0, ({n}.count, {size}))'
        return move(text, (1,), (axis + 1,))
    if not op["flat"]:
        return f"{n}.scatter({c.x()}, {c.x(1)}{fn})"
    c.spread_all()
    return f"{n}.scatter({move(c.x(), (axis + 1,), (1,))}.flatten(0, 1), {c.x(1)}.flatten(){fn})"


def _attend(w: Writer, c: Context, n: str, op: Segment) -> str:
    w.scope.imports.add("attend")
    sides = []
    for k in range(3):
        at = op["at_in"]
        sides.append(c.x(k) if at is None or at[k] is None else move(c.x(k), (_feature(at[k]),), (-1,)))
    given: dict[str, Any] = dict(op.args)
    told = ("causal", "window", "scale", "softcap")
    words = [f"{name}={c.expr(value)}" for name in told if (value := given.get(name, 0))]
    if p := given.get("dropout_p", 0):
        words.append(f"dropout_p={c.expr(p)} if {w.scope.training} else 0.0")
    keys = w.scope.segments(op["keys"])
    text = f"attend({', '.join((*sides, n, keys, *words))})"
    at = op["at_out"]
    return text if at is None or at[0] is None else move(text, (-1,), (_feature(at[0]),))


def _feature(at: tuple[int, ...]) -> int:
    """Where the features stand when the steps before or behind them are gone."""
    steps, features = at
    return features + 1 if steps > features else features
