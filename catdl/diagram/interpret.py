"""The reference interpreter: a Diagram evaluated box by box over torch tensors.

Takes a verified Diagram. The meaning is that of `docs/core.md`, written directly and without regard to speed; natives
run by their definitions, opaque ones by a table. It knows nothing of the generated code, which tests compare with it.
Calls are evaluated with an explicit stack, so that they may nest as deep as memory allows.

A value is a tensor with or without batch axes; with them it has exactly those of the run, and inside a map those of
the map after them.

    interpret(mlp, (image,), {"linear.weight": w, …})      (logits,)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import torch
from torch import Tensor

from catdl.data.tree import Tree
from catdl.diagram.drive import Work, drive
from catdl.diagram.interpret_core import Function, Run, Value, core, no_steps
from catdl.diagram.interpret_trees import fold_trees
from catdl.diagram.model import (
    Box,
    Call,
    Core,
    Diagram,
    Each,
    Emit,
    Extern,
    Fold,
    Global,
    Local,
    Map,
    Native,
    Parameter,
    Repeat,
    Store,
    TreeFold,
)
from catdl.diagram.opaque import opaque
from catdl.diagram.params import bared, leaves_of, sole_box, stacked_parameters
from catdl.types.dtypes import storage
from catdl.types.sizes import Poly, Size, Sym, evaluate
from catdl.types.types import Leaf, axis_sizes

Results: TypeAlias = list[Value]


@dataclass(frozen=True, slots=True)
class Weights:
    """The parameters as one diagram sees them: keys below `prefix`, plugged ones by path, slices of `each`."""

    all: Mapping[str, Tensor]
    prefix: str
    plugs: Mapping[str, Value]
    slices: tuple[int, ...]
    written: dict[tuple[str, tuple[int, ...]], Tensor]  # what states hold by now, by key and slice

    def leaf(self, parameter: Parameter, run: Run) -> Value:
        """A leaf of this diagram."""
        if parameter.path in self.plugs:
            return self.plugs[parameter.path]
        key = self.prefix + parameter.path
        sampled = parameter.state == "sample"
        if (key, self.slices) in self.written:
            return Value(self.written[key, self.slices], sampled)
        tensor = self.all[key]
        if sampled:
            rank = len(parameter.type.axes) + len(self.slices)
            tensor = tensor.expand((*run.batch, *tensor.shape[tensor.ndim - rank :]))
        for index in self.slices:
            tensor = tensor.select(len(run.batch) if sampled else 0, index)
        return Value(tensor, sampled)

    def store(self, path: str, value: Value, sampled: bool, run: Run) -> None:
        """What a state holds from here on; what is plugged in its place is not written."""
        if path not in self.plugs:
            spread = sampled and not value.batched
            tensor = value.tensor.expand((*run.batch, *value.tensor.shape)) if spread else value.tensor
            self.written[self.prefix + path, self.slices] = tensor

    def below(self, site: str | None, plugs: Mapping[str, Value], index: int | None = None) -> Weights:
        """What a box at a site sees."""
        prefix = "" if site is None else f"{site}."
        inner = {path.removeprefix(prefix): v for path, v in self.plugs.items() if path.startswith(prefix)}
        slices = self.slices if index is None else (*self.slices, index)
        return Weights(self.all, self.prefix + prefix, {**inner, **plugs}, slices, self.written)


def interpret(
    diagram: Diagram,
    inputs: Sequence[Tensor | Tree],
    params: Mapping[str, Tensor],
    *,
    training: bool = False,
    batch: tuple[int, ...] | None = None,
    externs: Mapping[str, Function] | None = None,
    dims: Mapping[str, int] | None = None,
) -> tuple[Tensor, ...]:
    """The outputs, with the batch axes that the inputs have before their own, unless given.

    `externs` are the modules of other packages by target, `dims` the sizes of free dims that no input tells.

    A result that is the same for the whole batch is repeated over it; without an input that has batch axes none has.
    """
    return interpret_step(diagram, inputs, params, training=training, batch=batch, externs=externs, dims=dims)[0]


def interpret_step(
    diagram: Diagram,
    inputs: Sequence[Tensor | Tree],
    params: Mapping[str, Tensor],
    *,
    training: bool = False,
    batch: tuple[int, ...] | None = None,
    externs: Mapping[str, Function] | None = None,
    dims: Mapping[str, int] | None = None,
) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """The outputs, and what the states hold then, by key; what they held before stands in `params`."""
    wires = [diagram.wires[wire] for wire in diagram.inputs]
    for wire, tensor in zip(wires, inputs, strict=True):
        if batch is None and not wire.constant:
            batch = tuple(tensor.shape[: len(tensor.shape) - len(wire.type.axes)])
    batch = batch or ()
    values = []
    for wire, given in zip(wires, inputs, strict=True):
        if isinstance(given, Tree):
            values.append(Value(torch.empty(batch), True, given))
            continue
        tensor = given if wire.constant else given.expand((*batch, *_own(given, wire.type)))
        values.append(Value(tensor, not wire.constant))
    tensors = [*params.values()]
    for each in inputs:
        tensors += [t for fields in each.constants for t in fields] if isinstance(each, Tree) else [each]
    numbers = (t.dtype.to_real() for t in tensors if t.is_floating_point() or t.is_complex())
    floating = next(numbers, torch.get_default_dtype())
    device = next((t.device for t in (*inputs, *params.values())), torch.device("cpu"))
    told = {**(dims or {}), **_dims([wire.type for wire in wires], [value.tensor for value in values])}
    run = Run(batch, told, floating, device, training, externs or {})
    weights = Weights(params, "", {}, (), {})
    results = drive(_diagram(diagram, values, weights, run))
    kept = _kept(diagram, params, weights, run)
    if all(wire.constant for wire in wires):
        return tuple(value.tensor for value in results), kept
    return tuple(v.tensor if v.batched else v.tensor.expand((*batch, *v.tensor.shape)) for v in results), kept


def _kept(diagram: Diagram, params: Mapping[str, Tensor], weights: Weights, run: Run) -> dict[str, Tensor]:
    """What the states hold in the end, slices of `each` put together."""
    found: dict[str, Tensor] = {}
    for leaf, lead, _ in stacked_parameters(diagram):
        if not leaf.state:
            continue
        before = len(run.batch) if leaf.state == "sample" else 0
        tensor = params[leaf.path]
        if before:
            tensor = tensor.expand((*run.batch, *tensor.shape[tensor.ndim - len(leaf.type.axes) :]))
        slices = {at: value for (key, at), value in weights.written.items() if key == leaf.path}
        if not lead and slices:
            tensor = slices[()]
        elif slices:
            tensor = tensor.clone()
            for at, value in slices.items():
                tensor[(slice(None),) * before + at] = value
        found[leaf.path] = tensor
    return found


def _own(tensor: Tensor, leaf: Leaf) -> tuple[int, ...]:
    return tuple(tensor.shape[tensor.ndim - len(leaf.axes) :])


def _dims(leaves: Sequence[Leaf], tensors: Sequence[Tensor]) -> dict[str, int]:
    """The sizes of free dims, from axes that are nothing but one, then from those that are linear in one."""
    dims: dict[str, int] = {}
    pairs: list[tuple[Size, int]] = []
    for leaf, tensor in zip(leaves, tensors, strict=True):
        sizes = axis_sizes(leaf)
        pairs += zip(sizes, tensor.shape[tensor.ndim - len(sizes) :], strict=True)
    for size, value in pairs:
        if isinstance(size, Poly) and _is_bare(size) and size.syms:
            (name,) = size.syms
            dims[name] = value
    for size, value in pairs:
        if isinstance(size, Poly) and len(size.syms - dims.keys()) == 1:
            (name,) = size.syms - dims.keys()
            found = next((n for n in range(value * 64 + 65) if _holds(size, {**dims, name: n}, value)), None)
            if found is not None:
                dims[name] = found
    return dims


def _holds(size: Poly, dims: dict[str, int], value: int) -> bool:
    try:
        return evaluate(size, dims) == value
    except ValueError:
        return False


def _is_bare(size: Poly) -> bool:
    """Whether a size is one dim and nothing else."""
    mono, coef = size.terms[0]
    return len(size.terms) == 1 and coef == 1 and mono.degree == 1 and isinstance(mono.pairs[0][0], Sym)


def _diagram(diagram: Diagram, inputs: Results, weights: Weights, run: Run) -> Work[Results]:
    at: dict[int, Value] = dict(zip(diagram.inputs, inputs, strict=True))
    cells = [box.op.parameter for box in diagram.boxes if isinstance(box.op, Local)]
    sampled = {cell.path for cell in cells if cell.state == "sample"}
    for box in diagram.boxes:
        ins = [at[wire] for wire in box.inputs]
        plugs = {path: at[wire] for path, wire in box.plugs}
        match box.op:
            case Core():
                results = [_stored(core(box.op, ins, run), diagram.wires[box.outputs[0]].type, run)]
            case Emit():
                results = []
            case Local(parameter):
                results = [weights.leaf(parameter, run)] if box.outputs else []
            case Store(path):
                weights.store(path, ins[0], path in sampled, run)
                results = []
            case Global(parameter):
                held = weights.all[parameter.path]
                results = [Value(held.detach() if parameter.frozen else held, False)]
            case _:
                results = yield _box(box, ins, plugs, weights, run)
        at.update(zip(box.outputs, results, strict=True))
    return [at[wire] for wire in diagram.outputs]


def _stored(value: Value, leaf: Leaf, run: Run) -> Value:
    """A number of a real kind in the floating dtype: a literal may be written as an integer."""
    if storage(leaf.kind) == "float" and not value.tensor.is_floating_point():
        return Value(value.tensor.to(run.floating), value.batched)
    return value


def _box(box: Box, ins: Results, plugs: Mapping[str, Value], weights: Weights, run: Run) -> Work[Results]:
    op = box.op
    match op:
        case Call(callee, inline):
            below = weights.below(None if inline else box.site, plugs)
            return (yield _apart(callee, ins, below, run))
        case Native():
            below = weights.below(box.site, plugs)
            if op.definition is None:
                return opaque(op, ins, run)
            return (yield _native(op, op.definition.diagram(), ins, below, run))
        case Map(axes, body, captured):
            return (yield _map(box, body, ins, len(axes), captured, weights.below(box.site, plugs), run))
        case Each(axis, body, captured):
            return (yield _each(box, op, ins, weights.below(box.site, plugs), run, run.size(axis.size)))
        case Repeat(count, body, tie, _):
            below = weights.below(box.site, plugs)
            carried, fixed = ins[: len(body.outputs)], ins[len(body.outputs) :]
            for index in range(count):
                inner = below.below(str(index), {}) if tie == "fresh" else below
                carried = yield _body(box, body, [*carried, *fixed], inner, run)
            return carried
        case Fold(axis=axis):
            return (yield _fold(box, op, ins, weights.below(box.site, plugs), run, run.size(axis.size)))
        case TreeFold():
            below = weights.below(box.site, plugs)

            def at_node(leg: Diagram, ins: Results, run: Run) -> Work[Results]:
                return _leg(box, leg, ins, below, run)

            return (yield fold_trees(op, ins[0].tree, ins[1:], run, at_node))
        case Extern(target):
            if target not in run.externs:
                raise NotImplementedError(f"the interpreter does not run `{target}`")
            batched = any(value.batched for value in ins)
            given = [value if value.batched else _as_wire(value, not batched, run) for value in ins]
            made = run.externs[target]([value.tensor for value in given], len(run.batch) if batched else 0)
            return [Value(tensor, batched) for tensor in made]
        case _:
            raise AssertionError(op)


def _apart(callee: Diagram, ins: Results, weights: Weights, run: Run) -> Work[Results]:
    """A call: the callee reads its own free dims from what it is given."""
    leaves = [callee.wires[wire].type for wire in callee.inputs]
    dims = {**run.dims, **_dims(leaves, [value.tensor for value in ins])} if _has_dims(leaves) else run.dims
    return (yield _diagram(callee, ins, weights, run.with_dims(dims)))


def _has_dims(leaves: Sequence[Leaf]) -> bool:
    return any(isinstance(size, Poly) for leaf in leaves for size in axis_sizes(leaf))


def _body(box: Box, body: Diagram, ins: Results, weights: Weights, run: Run) -> Work[Results]:
    """The body of a repeat, map or each: where this has a site and is one named box, that one's site is no segment."""
    sole = None if box.site is None else sole_box(body)
    if sole is not None:
        weights = replace(weights)
        return (yield _diagram(bared(body, sole), ins, weights, run))
    return (yield _diagram(body, ins, weights, run))


def _native(op: Native, definition: Diagram, ins: Results, weights: Weights, run: Run) -> Work[Results]:
    """By its definition, whose named axes stand at the end."""
    moved = list(ins)
    for i, at in enumerate(op.at_in or ()):
        if at is not None:
            moved[i] = Value(ins[i].tensor.movedim(at, tuple(range(-len(at), 0))), ins[i].batched)
    results = yield _apart(definition, moved, weights, run)
    for i, at in enumerate(op.at_out or ()):
        if at is not None:
            results[i] = Value(results[i].tensor.movedim(tuple(range(-len(at), 0)), at), results[i].batched)
    return results


def _map(box: Box, body: Diagram, ins: Results, count: int, captured: int, weights: Weights, run: Run) -> Work[Results]:
    """The leading axes become batch axes; the results have them back."""
    mapped = ins[: len(ins) - captured]
    outer = any(value.batched for value in ins)
    batch = run.batch if outer else ()
    first = mapped[0]
    lead = len(run.batch) if first.batched else 0
    sizes = tuple(first.tensor.shape[lead : lead + count])
    inner: Results = []
    for k, value in enumerate(ins):
        tensor = value.tensor
        if k < len(mapped):
            inner.append(Value(tensor if value.batched or not outer else tensor.expand((*batch, *tensor.shape)), True))
        elif value.batched:
            own = tensor.shape[len(batch) :]
            spread = tensor.reshape((*batch, *(1,) * count, *own)).expand((*batch, *sizes, *own))
            inner.append(Value(spread, True))
        else:
            inner.append(value)
    results = yield _body(box, body, inner, weights, run.with_batch((*batch, *sizes)))
    return [
        Value(v.tensor, outer) if v.batched else Value(v.tensor.expand((*sizes, *v.tensor.shape)), False)
        for v in results
    ]


def _fold(box: Box, op: Fold, ins: Results, weights: Weights, run: Run, size: int) -> Work[Results]:
    """The body at every step, each with what the one before gave."""
    last = len(ins) - op.captured
    carry, elements, fixed = ins[: op.carried], ins[op.carried : last], ins[last:]
    wires = [op.body.wires[wire] for wire in op.body.outputs]
    carry = [_as_wire(v, wire.constant, run) for v, wire in zip(carry, wires, strict=False)]
    columns: list[Results] = []
    for index in reversed(range(size)) if op.reverse else range(size):
        here = [Value(v.tensor.select(len(run.batch) if v.batched else 0, index), v.batched) for v in elements]
        made = yield _body(box, op.body, [*carry, *here, *fixed], weights, run)
        carry = [_as_wire(v, wire.constant, run) for v, wire in zip(made[: op.carried], wires, strict=False)]
        columns.append(made[op.carried :])
    if op.reverse:
        columns.reverse()
    outs = wires[op.carried :]
    if not columns:
        return [*carry, *(no_steps(wire, run) for wire in outs)]
    results = [_stack(parts, run) for parts in zip(*columns, strict=True)]
    return [*carry, *results]


def _leg(box: Box, leg: Diagram, ins: Results, weights: Weights, run: Run) -> Work[Results]:
    """A leg at one node, with what it gives the same for all nodes taken as that of this one."""
    made = yield _body(box, leg, ins, weights, run)
    return [Value(value.tensor, True) for value in made]


def _as_wire(value: Value, constant: bool, run: Run) -> Value:
    """A value with the batch axes that its wire says it has."""
    if constant or value.batched:
        return value
    return Value(value.tensor.expand((*run.batch, *value.tensor.shape)), True)


def _stack(parts: Sequence[Value], run: Run) -> Value:
    """Values along a new axis in front of their own."""
    batched = any(part.batched for part in parts)
    parts = [_as_wire(part, not batched, run) for part in parts]
    return Value(torch.stack([p.tensor for p in parts], len(run.batch) if batched else 0), batched)


def _each(box: Box, op: Each, ins: Results, weights: Weights, run: Run, size: int) -> Work[Results]:
    """The body at every index, with that index's slice of the weights."""
    columns: list[Results] = []
    below = {leaf.path for leaf in leaves_of(op, box.site)}
    for index in range(size):
        args: Results = []
        for k, value in enumerate(ins):
            axis = len(run.batch) if value.batched else 0
            args.append(
                value if k >= len(ins) - op.captured else Value(value.tensor.select(axis, index), value.batched)
            )
        plugs = {path: Value(weights.plugs[path].tensor[index], False) for path in below & weights.plugs.keys()}
        inner = replace(weights, plugs=plugs, slices=(*weights.slices, index))
        columns.append((yield _body(box, op.body, args, inner, run)))
    results: Results = []
    for parts in zip(*columns, strict=True):
        results.append(_stack(parts, run))
    return results
