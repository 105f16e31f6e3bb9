"""Calls of units: plain ones, loops over them, slices of `each`, and modules of other packages.

invoke(w, step, Invoke(attention), [x])     "self.attention(x)"
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catdl.diagram.model import Extern, Native
from catdl.torch.context import Context, expand_batch
from catdl.torch.form import alone, apply
from catdl.torch.marks import UNIT, called, made_by, name, numbers
from catdl.torch.names import ident
from catdl.torch.natives import find
from catdl.torch.plan import Unit
from catdl.torch.scope import Mode, Value
from catdl.torch.steps import Invoke, Loop, Slices, Step

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


def invoke(w: Writer, step: Step, op: Invoke, inputs: list[Value]) -> tuple[str, tuple[Mode, ...]]:
    """A call of a unit, and which axes lead its outputs."""
    unit = w.plan.unit(op, step, w.unit)
    if unit.is_class:
        callee = w.submodule(step.site or ident(unit.own_name.lower()), called(unit.index, []))
    else:
        callee = name(unit.index)
    texts, batched = _ports(w, unit, inputs, [value.rank for value in inputs])
    plugs = {path: w.read(wire).text for path, wire in step.plugs}
    text = _call(callee, [*texts, *_extra(w, unit, plugs)], unit)
    return _unbatch(w, unit, text, inputs), _batched(unit, batched)


def _call(callee: str, arguments: list[str], unit: Unit) -> str:
    """A call of an object, or of a function, which takes its numbers then."""
    return f"{callee}({', '.join(arguments)}{'' if unit.is_class else numbers(unit.index)})"


def _ports(w: Writer, unit: Unit, inputs: list[Value], ranks: list[int]) -> tuple[list[str], Mode]:
    """The inputs as a unit wants them: all per-sample ones with the same batch axes; and which these are."""
    wires = unit.flat.wires
    ports = [not wires[wire].constant for wire in unit.flat.inputs]
    sampled = [value for value, port in zip(inputs, ports, strict=True) if port and value.batched]
    packed = [wires[wire].rows for wire in unit.flat.inputs]
    some = next((axis for axis in packed if axis is not None), None)
    ref = max(sampled, key=lambda value: value.batched, default=None)
    if some is not None:  # what each sample has once is like what each sample has once
        once = [v for v, port, rows in zip(inputs, ports, packed, strict=True) if port and v.batched and rows is None]
        ref = once[0] if once else None
    lone = ref is None and some is None and unit.info.one_batch
    texts = []
    for value, port, rank in zip(inputs, ports, ranks, strict=True):
        text = Context(w.scope, [value], ()).tensor(value)
        if port and lone:
            text = f"{text}.unsqueeze(0)"
        elif port and some is not None and ref is None and not value.batched:
            text = f"{text}.expand({w.segments(some)}.count{', -1' * rank})"
        elif port and ref is not None and value.batched < ref.batched:
            text = expand_batch(text, rank, ref)
        elif unit.lead and not port and not value.batched:
            sizes = ", ".join(w.scope.size(axis.size) for axis in unit.lead)
            text = f"{text}.expand({sizes}{', -1' * rank})"
        texts.append(text)
    return texts, max((value.batched for value in sampled), default=Mode.CONSTANT)


def _batched(unit: Unit, batched: Mode) -> tuple[Mode, ...]:
    """Which axes lead the outputs of a call; what a unit with stacked weights yields has theirs."""
    wires = unit.flat.wires
    least = Mode.STACKED if unit.lead else Mode.CONSTANT
    return tuple(least if wires[wire].constant else max(batched, least) for wire in unit.flat.outputs)


def _unbatch(w: Writer, unit: Unit, text: str, inputs: list[Value]) -> str:
    """Take off the batch axis that a unit which needs one was given."""
    if not _lone(unit, inputs):
        return text
    outs = unit.flat.outputs
    if len(outs) == 1:
        return f"{text}.squeeze(0)"
    return f"(y.squeeze(0) for y in {text})"


def _lone(unit: Unit, inputs: list[Value]) -> bool:
    """Whether a unit needs a batch axis that none of its inputs has."""
    wires = unit.flat.wires
    ports = [not wires[wire].constant for wire in unit.flat.inputs]
    sampled = any(value.batched for value, port in zip(inputs, ports, strict=True) if port)
    return unit.info.one_batch and any(ports) and not sampled


def _extra(w: Writer, unit: Unit, plugs: dict[str, str]) -> list[str]:
    """What a unit takes after its inputs: plugged leaves, declared parameters, free dims, the training flag."""
    flat = w.unit.flat
    texts = [plugs[path] for path in unit.flat.plugged]
    texts += [w.read(flat.globals[path]).text for path in unit.flat.globals]
    texts += [w.scope.dim_name(name) for name in unit.dims]
    texts += [w.scope.segments(name) for name in unit.rows]
    if not unit.is_class and unit.info.training:
        texts.append(w.scope.training)
    return texts


@dataclass(frozen=True, slots=True)
class _Body:
    """The unit of a loop's body, or what stands for it: how it is made and how it is called.

    `constructor` is None for a plain function. `call` takes the callee and the texts of the body's inputs. What it
    yields are the wires `yields`, which need not be the unit's outputs: these may be inputs too.
    """

    constructor: str | None
    name: str
    call: Callable[[str, list[str]], str]
    unit: Unit
    yields: list[int]


def _body(w: Writer, step: Step, body_of: Loop | Slices) -> _Body:
    unit = w.plan.body(body_of, step, w.unit)
    plugs = {path: w.read(wire).text for path, wire in step.plugs}
    sole = w.plan.sole(unit, isinstance(body_of, Slices))
    if sole is None:
        extra = _extra(w, unit, plugs)
        return _Body(
            called(unit.index, []) if unit.is_class else None,
            unit.own_name.lower() if unit.is_class else name(unit.index),
            lambda callee, texts: _call(callee, [*texts, *extra], unit),
            unit,
            unit.flat.outputs,
        )
    known = {wire: plugs[path] for path, wire in unit.flat.plugged.items()}
    known |= {wire: w.read(w.unit.flat.globals[path]).text for path, wire in unit.flat.globals.items()}
    native: Native | None = None
    inner: Unit | None = None
    if isinstance(sole.op, Invoke):
        inner = w.plan.unit(sole.op, sole, unit)
        constructor: str | None = called(inner.index, []) if inner.is_class else None
        reached = inner.own_name.lower() if inner.is_class else name(inner.index)
        after = _extra(w, inner, {path: known[wire] for path, wire in sole.plugs})
    elif isinstance(sole.op, Extern):
        constructor, reached, after = _constructor(w, sole.op), ident(unit.own_name), []
    else:
        assert isinstance(sole.op, Native)
        native = sole.op
        constructor = alone(native, sole, unit.flat, isinstance(body_of, Slices))
        reached, after = ident(native.entry), []

    def call(callee: str, texts: list[str]) -> str:
        at = known | dict(zip(unit.flat.inputs, texts, strict=True))
        if native is None:
            arguments = [*(at[wire] for wire in sole.inputs), *after]
            return f"{callee}({', '.join(arguments)})" if inner is None else _call(callee, arguments, inner)
        wires = unit.flat.wires
        modes = [Mode.CONSTANT if wires[wire].constant else Mode.BATCHED for wire in sole.inputs]
        inputs = [Value(at[i], wires[i].type, mode) for i, mode in zip(sole.inputs, modes, strict=True)]
        c = Context(w.scope, inputs, tuple(wires[wire].type for wire in sole.outputs), native)
        lowering = find(native.entry)
        assert lowering is not None
        text = apply(c, lowering, callee)
        assert isinstance(text, str)
        return text

    return _Body(constructor, reached, call, unit, list(sole.outputs))


@dataclass(frozen=True, slots=True)
class LoopText:
    """A loop as text: the first values of what goes round, the head, and the statements inside for given names.

    `lone`: what goes round was given a batch axis that has to be taken off in the end. `foreign`: what it runs is a
    module of another package, whose outputs are checked.
    """

    start: list[str]
    batched: tuple[Mode, ...]
    head: str
    body: Callable[[list[str]], list[str]]
    lone: bool
    foreign: bool


def loop(w: Writer, step: Step, op: Loop, inputs: list[Value]) -> LoopText:
    """A repeat: over a list of modules, or over one module or function."""
    body = _body(w, step, op)
    count = len(step.outputs)
    texts, batched = _ports(w, body.unit, inputs, [value.rank for value in inputs])
    if body.constructor is None:
        callee, head = body.name, f"for _ in range({op.count}):"
    else:
        made = body.constructor
        if op.fresh:
            made = f"nn.ModuleList({made} for _ in range({op.count}))"
        holder = w.submodule(step.site or ident(body.name), made)
        if op.fresh:
            callee = w.scope.reserve(ident((step.site or body.name).replace(".", "_")))
            head = f"for {callee} in {holder}:"
        else:
            callee, head = holder, f"for _ in range({op.count}):"
    fixed = texts[count:]

    outputs = body.unit.flat.outputs

    def statements(names: list[str]) -> list[str]:
        call = body.call(callee, [*names, *fixed])
        if outputs == body.yields:
            return [f"{', '.join(names)} = {call}"]
        made = [w.scope.reserve("made") for _ in body.yields]
        at = dict(zip(body.unit.flat.inputs, [*names, *fixed], strict=True)) | dict(zip(body.yields, made, strict=True))
        return [f"{', '.join(made)} = {call}", f"{', '.join(names)} = {', '.join(at[wire] for wire in outputs)}"]

    foreign = _foreign(w, body.unit, False)
    return LoopText(texts[:count], _batched(body.unit, batched), head, statements, _lone(body.unit, inputs), foreign)


def _foreign(w: Writer, unit: Unit, sliced: bool) -> bool:
    sole = w.plan.sole(unit, sliced)
    return sole is not None and isinstance(sole.op, Extern)


def slices(w: Writer, step: Step, op: Slices, inputs: list[Value]) -> tuple[str, tuple[Mode, ...], bool]:
    """`each` by `torch.vmap`: a module whose weights have a leading axis, or a function that is given such.

    The call, which axes lead its outputs, and whether it is of a module of another package, whose outputs are checked.
    """
    body = _body(w, step, op)
    texts, batched = _ports(w, body.unit, inputs, [value.rank for value in inputs])
    mapped = len(inputs) - op.captured
    marks = [str(-inputs[k].rank) if k < mapped else "None" for k in range(len(inputs))]
    known = {*marks, *(plugged := [w.read(wire).text for _, wire in step.plugs])}
    places = [place if place in known else "None" for place in UNIT.sub("", body.call("", marks))[1:-1].split(", ")]
    places = ["0" if place in plugged else place for place in places]
    ranks = [len(body.unit.flat.wires[wire].type.axes) + 1 for wire in body.unit.flat.outputs]
    out = str(-ranks[0]) if len(ranks) == 1 else str(tuple(-rank for rank in ranks))
    dims = f"in_dims=({', '.join(places)}{',' if len(places) == 1 else ''}), out_dims={out}"
    if body.constructor is None:
        text = body.call(f'torch.vmap({body.name}, {dims}, randomness="different")', texts)
    else:
        assert step.site is not None
        w.scope.imports.add("Each")
        holder = w.submodule(step.site, f"Each({made_by(body.constructor)}, {w.scope.size(op.axis.size)})")
        text = f"{body.call(holder, texts)[:-1]}, {dims})"
    return _unbatch(w, body.unit, text, inputs), _batched(body.unit, batched), _foreign(w, body.unit, True)


def _constructor(w: Writer, op: Extern) -> str:
    """How a module of another package is made."""
    package, _, name = op.target.partition(":")
    w.scope.imports.add(package)
    c = Context(w.scope, [], ())
    return f"{package}.{name}({', '.join(f'{key}={c.expr(value)}' for key, value in op.args)})"


def extern(w: Writer, step: Step, op: Extern, inputs: list[Value]) -> str:
    """A module of another package; it gets exactly one batch axis."""
    c = Context(w.scope, list(inputs), ())
    holder = w.submodule(step.site or ident(op.target.rpartition(":")[2].lower()), _constructor(w, op))
    c.spread_all()
    if c.any_batched or not inputs:
        return f"{holder}({c.xs()})"
    text = f"{holder}({', '.join(f'{c.x(i)}.unsqueeze(0)' for i in range(len(inputs)))})"
    return f"{text}.squeeze(0)"
