"""`iterate` written where it stands: the statements of its body inside a `for`, over variables that go round.

open_rounds(w, step, Open(6, …), [x])      "for _ in range(6):", and deeper until `shut_rounds`
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catdl.torch.context import Context, expand_batch
from catdl.torch.scope import Mode, Value, Var, joined
from catdl.torch.steps import Open, Shut, Step

if TYPE_CHECKING:
    from catdl.torch.unit import Writer


@dataclass(frozen=True, slots=True)
class Rounds:
    """A loop that is open: the variables that go round, the batch axes of each, where its head stands."""

    names: list[Var]
    modes: list[Mode]
    head: int


def open_rounds(w: Writer, step: Step, op: Open, inputs: list[Value]) -> None:
    """The head of the loop; what goes round gets the batch axes that it will have after a round."""
    wires = w.unit.flat.wires
    count = len(step.outputs)
    mode = max(joined(inputs), Mode.STACKED if op.lead else Mode.CONSTANT)
    modes = [Mode.CONSTANT if wires[wire].constant else mode for wire in step.outputs]
    ref = next((value for value in inputs if value.batched == mode), None)
    texts = []
    for value, wanted in zip(inputs[:count], modes, strict=True):
        text = Context(w.scope, [value], ()).tensor(value)
        if value.batched < wanted and ref is not None:
            text = expand_batch(text, value.rank, ref)
        elif value.batched < wanted:
            sizes = ", ".join(w.scope.size(axis.size) for axis in op.lead)
            text = f"{text}.expand({sizes}{', -1' * value.rank})"
        texts.append(text)
    dying = [w.scope.release(w.values[wire]) for wire in step.inputs][:count]
    names: list[Var] = []
    for wire, old in zip(step.outputs, dying, strict=True):
        name = wires[wire].name
        names.append(w.scope.name(old.name if old is not None and name in (None, old.name) else name, []))
    _assign(w, names, texts)
    w.rounds[op.mark] = Rounds(names, modes, len(w.scope.lines))
    w.scope.write(f"for _ in range({op.count}):")
    w.scope.open_block([var.name for var in names])
    for wire, var, wanted in zip(step.outputs, names, modes, strict=True):
        w.scope.first_time(var)
        value = Value(var.name, wires[wire].type, wanted, var=var, uses=w.uses[wire])
        w.values[wire] = w.scope.hold(value)
        if not value.uses:
            w.scope.free(var)


def shut_rounds(w: Writer, step: Step, op: Shut, inputs: list[Value]) -> None:
    """The end of the loop: what a round made goes round; after the last it is the result, in the same variables."""
    rounds = w.rounds.pop(op.mark)
    count = len(step.outputs)
    texts = []
    for k, (value, var, mode) in enumerate(zip(inputs[:count], rounds.names, rounds.modes, strict=True)):
        text = Context(w.scope, [value], ()).tensor(value)
        if value.batched < mode:  # it does not depend on what went in, whose batch axes it must have
            start = w.scope.reserve("start" if k == 0 else f"start_{k + 1}")
            w.scope.insert(rounds.head, f"{start} = {var.name}")
            text = f"{text}.expand_as({start})"
        texts.append(text)
    for wire in step.inputs:
        w.scope.release(w.values[wire])
    _assign(w, rounds.names, texts)
    w.scope.shut_block(len(rounds.names))
    for wire, var, mode in zip(step.outputs, rounds.names, rounds.modes, strict=True):
        w.scope.take(var)
        w.values[wire] = w.scope.hold(Value(var.name, w.unit.flat.wires[wire].type, mode, var=var, uses=w.uses[wire]))
        if not w.uses[wire]:
            w.scope.free(var)


def _assign(w: Writer, names: list[Var], texts: list[str]) -> None:
    """All at once, for a text may read another of the variables."""
    pairs = [(var.name, text) for var, text in zip(names, texts, strict=True) if var.name != text]
    if pairs:
        w.scope.write(f"{', '.join(name for name, _ in pairs)} = {', '.join(text for _, text in pairs)}")
