"""The two ends of a function: what it asks of its inputs and binds from them, and what it returns.

enter_unit(w)      ["if image.shape[-2:] != (8, 8):", …, "batch = image.shape[:-2]"], known once the body is written
leave_unit(w)      "return x"
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from catdl.diagnostics import NotCompilable
from catdl.diagram.params import bounds_of
from catdl.diagram.told import by_trees, padded
from catdl.torch.checks import Entry
from catdl.torch.context import Context
from catdl.torch.refuse import Refused
from catdl.torch.scope import Mode, Value, sizes_of
from catdl.torch.shapes import shape
from catdl.types.sizes import short

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


def leave_unit(w: Writer) -> str:
    """The statement that returns the outputs."""
    wires, outputs = w.unit.flat.wires, w.unit.flat.outputs
    results = len(outputs) - w.plan.states if w.unit.root else 0
    texts = [_out(w, w.values[o], wires[o].constant, place < results) for place, o in enumerate(outputs)]
    return f"return {', '.join(texts)}" if texts else "return ()"


def _out(w: Writer, value: Value, constant: bool, result: bool) -> str:
    """A wire that goes out; `result`: of the network itself, whose results have the batch axes in any case."""
    text = Context(w.scope, [value], ()).tensor(value)
    lead = w.unit.lead
    if value.batched is not Mode.BATCHED:
        if w.origin is None and w.scope.used_rows and (result or not constant):
            count = f"{w.scope.segments(next(iter(w.scope.used_rows)))}.count"
            return f"{text}.expand({count}{', -1' * value.rank})"
        if w.origin is not None and (result or not constant):
            w.wants_batch = True
            return f"{text}.expand({_after_batch(', -1' * value.rank)})"
        if lead and value.batched is Mode.CONSTANT:
            sizes = ", ".join(w.scope.size(axis.size) for axis in lead)
            return f"{text}.expand({sizes}{', -1' * value.rank})"
        return text
    flatten = w.unit.root and w.unit.info.one_batch and not w.scope.used_rows
    if flatten and value.leaf.kind.form is None:  # trees have one batch axis in any case
        own = "".join(f", {w.scope.size(size)}" for size in sizes_of(value.leaf))
        return f"{text}.reshape({_after_batch(own)})"
    return text


def _after_batch(own: str) -> str:
    """The sizes of a result; torch takes no empty list of arguments, which `*batch` alone may be."""
    return f"*batch{own}" if own else "batch"


def enter_unit(w: Writer) -> list[str]:
    """The statements before the body; a root checks its inputs."""
    flat = w.unit.flat
    inputs = [
        Value(w.args[k], flat.wires[wire].type, Mode.CONSTANT if flat.wires[wire].constant else Mode.BATCHED)
        for k, wire in enumerate(flat.inputs)
    ]
    packed = [flat.wires[wire].rows for wire in flat.inputs]
    extra = [
        Value(w.args[len(inputs) + k], flat.wires[wire].type, Mode.CONSTANT)
        for k, wire in enumerate(flat.plugged.values())
    ]
    told = inputs[: len(inputs) - w.plan.states] if w.unit.root else inputs  # `Stateful` looks after the others
    entry = Entry(w.scope, w.unit.diagram.name.rpartition("::")[2], [*told, *extra], packed)
    grown: dict[str, tuple[int, ...]] = {}
    batch = _batch(w, inputs)  # first: it reads dims, which the entry then binds
    if w.unit.root:
        grown = {dim: at for dim, at in by_trees(w.unit.diagram).items() if dim in w.scope.used_rows}
        lines = entry.check(w.unit.diagram.facts, bounds_of(w.unit.diagram), padded(w.unit.diagram), grown)
        unbound = [name for name in w.scope.used_dims if name not in entry.bound]
        if unbound:
            dims = " and ".join(f"`{short(name)}`" for name in unbound)
            raise Refused(NotCompilable(w.unit.diagram.name, f"no input tells the size of {dims}"))
    else:
        lines, w.unit.dims = entry.bind()
    w.unit.rows = tuple(dim for dim in w.scope.used_rows if dim not in grown)
    if w.scope.used_rows:
        w.scope.imports.add("Segments")
    return [*lines, *batch]


def _batch(w: Writer, inputs: list[Value]) -> list[str]:
    lines: list[str] = []
    flatten = w.unit.root and w.unit.info.one_batch and not w.scope.used_rows
    if w.wants_batch or (flatten and w.origin is not None):
        assert w.origin is not None
        shown = f"{w.origin.text}.shape" if not w.origin.rank else f"{w.origin.text}.shape[:-{w.origin.rank}]"
        lines.append(f"batch = {shown}")
    if flatten:
        for value in inputs:
            if value.batched and value.leaf.kind.form is None:
                own = "".join(f", {w.scope.size(size)}" for size in sizes_of(value.leaf))
                lines.append(commented(f"{value.text} = {value.text}.reshape(-1{own})", shape(value.leaf)))
    if w.scope.wants_device:
        lines.append(f"device = {w.scope.device_from}.device")
    if w.scope.wants_dtype:
        lines.append(f"dtype = {w.scope.dtype_from}.dtype")
    return lines


def commented(line: str, comment: str) -> str:
    """A line with its comment, apart until it is wrapped."""
    return f"{line}\x00{comment}" if comment else line
