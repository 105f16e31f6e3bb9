"""`iterate` and `fold` written where they stand: the statements of a body inside a `for`, over variables that go round.

open_rounds(w, step, Open(6, …), [x])      "for _ in range(6):", and deeper until `shut_rounds`
open_rounds(w, step, Open(T, …), [h, x])   "for x_t in x.unbind(-2):"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catdl.torch.context import Context, expand_batch
from catdl.torch.names import ident
from catdl.torch.scope import Mode, Value, Var, joined, sizes_of
from catdl.torch.steps import Open, Shut, Step
from catdl.types.dtypes import storage
from catdl.types.sizes import Size
from catdl.types.types import Leaf

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


_DTYPES = {"int": "int64", "bool": "bool", "complex": "complex64"}


@dataclass(frozen=True, slots=True)
class Rounds:
    """A loop that is open: the variables that go round, the batch axes of each, where its head stands.

    `count` says how often it runs, `elements` are what it runs over, as they are called at its head.
    """

    names: list[Var]
    modes: list[Mode]
    head: int
    count: Size
    elements: list[Value]


def open_rounds(w: Writer, step: Step, op: Open, inputs: list[Value]) -> None:
    """The head of the loop; what goes round gets the batch axes that it will have after a round."""
    wires = w.unit.flat.wires
    count = len(step.outputs) - op.elements
    mode = Mode.BATCHED if op.rows else max(joined(inputs), Mode.STACKED if op.lead else Mode.CONSTANT)
    modes = [Mode.CONSTANT if wires[wire].constant else mode for wire in step.outputs[:count]]
    walk = w.walk(op.mark, op.rows, op.reverse) if op.rows else ""
    packed = [wires[wire].rows for wire in step.inputs]
    ref = next((v for v, rows in zip(inputs, packed, strict=True) if v.batched == mode and rows is None), None)
    some = next((axis for axis in packed if axis is not None), None)  # with it comes how many samples there are
    texts = []
    for value, wanted in zip(inputs[:count], modes, strict=True):
        text = Context(w.scope, [value], ()).tensor(value)
        if value.batched < wanted and ref is None and (op.rows or some is not None):
            text = f"{text}.expand({w.segments(some, op.rows)}.count{', -1' * value.rank})"
        elif value.batched < wanted and ref is not None:
            text = expand_batch(text, value.rank, ref)
        elif value.batched < wanted:
            sizes = ", ".join(w.scope.size(axis.size) for axis in op.lead)
            text = f"{text}.expand({sizes}{', -1' * value.rank})"
        texts.append(f"{walk}.start({text})" if walk else text)
    dying = [w.scope.release(w.values[wire]) for wire in step.inputs][:count]
    names: list[Var] = []
    for wire, old in zip(step.outputs[:count], dying, strict=True):
        name = wires[wire].name
        names.append(w.scope.name(old.name if old is not None and name in (None, old.name) else name, []))
    _assign(w, names, texts)
    elements = inputs[count : count + op.elements]
    w.rounds[op.mark] = Rounds(names, modes, len(w.scope.lines), op.count, elements)
    each = [
        w.scope.name(_one_of(value.text, wires[wire].name), [])
        for value, wire in zip(elements, step.outputs[count:], strict=True)
    ]
    w.scope.write(_head(w, op, [var.name for var in each], elements, walk))
    w.scope.open_block([var.name for var in names])
    if walk:
        _assign(w, names, [f"{walk}.alive({var.name}{f', {k}' if k else ''})" for k, var in enumerate(names)])
    given = [value.batched for value in elements]
    for wire, var, wanted in zip(step.outputs, (*names, *each), (*modes, *given), strict=True):
        w.scope.first_time(var)
        value = Value(var.name, wires[wire].type, wanted, var=var, uses=w.uses[wire])
        w.values[wire] = w.scope.hold(value)
        if not value.uses:
            w.scope.free(var)


def _one_of(whole: str, name: str | None) -> str | None:
    """What one element is called: as the text calls it, else after what it is one of."""
    return f"{whole}_t" if name in (None, whole) and whole.isidentifier() else name


def _head(w: Writer, op: Open, names: list[str], elements: list[Value], walk: str) -> str:
    """The head of a loop: over the elements along their first axis, or so many times."""
    if walk:
        over = [f"{walk}.along({Context(w.scope, [value], ()).tensor(value)})" for value in elements]
        listed = ", ".join(over) if over else f"{walk}.steps()"
        return f"for {', '.join(names) or '_'} in {listed if len(over) < 2 else f'zip({listed})'}:"
    if not elements:
        return f"for _ in range({w.scope.size(op.count)}):"
    over = [f"{Context(w.scope, [value], ()).tensor(value)}.unbind({-value.rank})" for value in elements]
    if op.reverse:
        over = [f"reversed({text})" for text in over]
    listed = ", ".join(over)
    return f"for {', '.join(names)} in {listed if len(over) == 1 else f'zip({listed})'}:"


def shut_rounds(w: Writer, step: Step, op: Shut, inputs: list[Value]) -> None:
    """The end of the loop: what a round made goes round; after the last it is the result, in the same variables."""
    rounds = w.rounds.pop(op.mark)
    count = op.carried
    walk = w.walk(op.mark, op.rows, op.reverse) if op.rows else ""
    given: list[tuple[int, str, Mode]] = []
    for wire, value in zip(step.outputs[count:], inputs[count : len(step.outputs)], strict=True):
        if w.uses[wire]:
            steps = w.scope.reserve(f"{ident(w.unit.flat.wires[wire].name or 'y')}s")
            w.scope.insert(rounds.head, f"{steps}: list[Tensor] = []")
            text = Context(w.scope, [value], ()).tensor(value)
            if walk and not value.batched:
                text = f"{text}.expand({walk}.live{', -1' * value.rank})"
            w.scope.write(f"{steps}.append({text})")
            given.append((wire, steps, value.batched))
    texts = []
    for k, (value, var, mode) in enumerate(zip(inputs[:count], rounds.names, rounds.modes, strict=True)):
        text = Context(w.scope, [value], ()).tensor(value)
        if value.batched < mode and walk:
            text = f"{text}.expand({walk}.live{', -1' * value.rank})"
        elif value.batched < mode:  # it does not depend on what went in, whose batch axes it must have
            start = w.scope.reserve("start" if k == 0 else f"start_{k + 1}")
            w.scope.insert(rounds.head, f"{start} = {var.name}")
            text = f"{text}.expand_as({start})"
        texts.append(text)
    for wire in step.inputs:
        w.scope.release(w.values[wire])
    _assign(w, rounds.names, texts)
    w.scope.shut_block(len(rounds.names))
    if walk:
        _assign(w, rounds.names, [f"{walk}.end({v.name}{f', {k}' if k else ''})" for k, v in enumerate(rounds.names)])
    for wire, var, mode in zip(step.outputs[:count], rounds.names, rounds.modes, strict=False):
        w.scope.take(var)
        w.values[wire] = w.scope.hold(Value(var.name, w.unit.flat.wires[wire].type, mode, var=var, uses=w.uses[wire]))
        if not w.uses[wire]:
            w.scope.free(var)
    for wire, steps, mode in given:
        leaf = w.unit.flat.wires[wire].type
        var = w.scope.name(w.unit.flat.wires[wire].name, [])
        w.scope.first_time(var)
        w.values[wire] = w.scope.hold(Value(var.name, leaf, mode, var=var, uses=w.uses[wire]))
        if walk:
            sizes = "".join(f", {w.scope.size(size)}" for size in sizes_of(leaf))
            dtype = "" if storage(leaf.kind) == "float" else f", dtype=torch.{_DTYPES[storage(leaf.kind)]}"
            text = f"{walk}.join({steps}, {rounds.names[0].name}.new_zeros(0{sizes}{dtype}))"
            w.values[wire].batched = Mode.BATCHED
            w.scope.write(f"{var.name} = {text}", w.shape(leaf, Mode.BATCHED, w.unit.flat.wires[wire].rows))
            continue
        listed = f"{steps}[::-1]" if op.reverse else steps
        text = f"torch.stack({listed}, dim={-len(leaf.axes)})"
        if not isinstance(rounds.count, int) or rounds.count == 0:
            text = f"{text} if {steps} else {_no_steps(w, rounds, leaf, mode, step.outputs[:count])}"
        w.scope.write(f"{var.name} = {text}", w.shape(leaf, mode))


def _no_steps(w: Writer, rounds: Rounds, leaf: Leaf, mode: Mode, carried: tuple[int, ...]) -> str:
    """What a loop that never ran gives along its axis: nothing, with the batch axes and in the dtype of something."""
    known = [w.values[wire] for wire in carried]
    like = next((value for value in known if value.batched == mode), known[0])
    batch = [] if mode is Mode.CONSTANT else [f"*{_batch(like.text, like.rank)}"]
    if like.batched < mode:  # what goes round is the same for all, the elements are not
        element = next(value for value in rounds.elements if value.batched == mode)
        name = w.scope.reserve("batch")
        text = Context(w.scope, [element], ()).tensor(element)
        w.scope.insert(rounds.head, f"{name} = {_batch(text, element.rank)}")
        batch = [f"*{name}"]
    sizes = ", ".join((*batch, "0", *(w.scope.size(size) for size in sizes_of(leaf)[1:])))
    stored = storage(leaf.kind)
    dtype = w.scope.dtype() if stored == "float" else f"torch.{_DTYPES[stored]}"
    return f"{like.text}.new_zeros({sizes}{'' if stored == storage(like.leaf.kind) else f', dtype={dtype}'})"


def _batch(text: str, rank: int) -> str:
    return f"{text}.shape[:-{rank}]" if rank else f"{text}.shape"


def _assign(w: Writer, names: list[Var], texts: list[str]) -> None:
    """All at once, for a text may read another of the variables."""
    pairs = [(var.name, text) for var, text in zip(names, texts, strict=True) if var.name != text]
    if pairs:
        w.scope.write(f"{', '.join(name for name, _ in pairs)} = {', '.join(text for _, text in pairs)}")
