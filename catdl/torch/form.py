"""How a native box is written: as a module or by a function, with named axes moved and batch axes made one around it.

apply(c, linear, "self.linear")      "self.linear(x)"
"""

from __future__ import annotations

from catdl.diagram.model import Native
from catdl.torch.context import Context, move
from catdl.torch.lowering import Lowering, Result
from catdl.torch.natives import find
from catdl.torch.scope import Mode, Scope, Value, sizes_of
from catdl.torch.steps import Flat, Step


def has_module(native: Native, step: Step) -> bool:
    """Whether a native is written in module form, apart from what its lowering says of this use."""
    lowering = find(native.entry)
    return lowering is not None and lowering.module is not None and not step.plugs and holds(native, lowering)


def lent_module(native: Native | None) -> str | None:
    """The constructor of the module that holds the leaves of an entry, itself not used; None where it has none."""
    lowering = find(native.entry) if native is not None else None
    if native is None or lowering is None or lowering.module is None:
        return None
    return lowering.module(Context(Scope(frozenset()), [], (), native))


def holds(native: Native, lowering: Lowering) -> bool:
    """Whether it has anything to hold: weights, running statistics or a constant."""
    return bool(native.params) or lowering.state or lowering.constant


def alone(native: Native, step: Step, flat: Flat, plain: bool) -> str | None:
    """The constructor of a native that is the whole body of a loop; None where it has to be a unit.

    `plain`: it must be called with its inputs as they are.
    """
    if not has_module(native, step) or len(step.outputs) != 1 or any(p.frozen or p.told for p in native.params):
        return None
    lowering = find(native.entry)
    assert lowering is not None and lowering.module is not None
    modes = [Mode.CONSTANT if flat.wires[wire].constant else Mode.BATCHED for wire in step.inputs]
    values = [Value(f"x{k}", flat.wires[w].type, modes[k]) for k, w in enumerate(step.inputs)]
    outputs = tuple(flat.wires[wire].type for wire in step.outputs)
    c = Context(Scope(frozenset()), values, outputs, native)
    constructor = lowering.module(c)
    if constructor is None:
        return None
    wanted = f"f({c.xs()})"
    written = apply(c, lowering, "f")
    return None if c.temps or (plain and written != wanted) else constructor


def apply(c: Context, lowering: Lowering, holder: str | None) -> Result:
    """The call of a native's module, or its functional form, with all that stands around it."""
    native = c.native
    assert native is not None
    if not lowering.mixed and len(c.inputs) > 1:
        c.spread_all()
    moved = not lowering.takes_dim and any(at is not None for at in (*(native.at_in or ()), *(native.at_out or ())))
    if moved:
        c.move_named_axes()
    batch = flatten_batch(c, lowering) if lowering.one_batch else None
    if holder is None:
        result: Result = lowering.call(c)
    else:
        result = f"{holder}({lowering.inputs(c) if lowering.inputs is not None else c.xs()})"
    if moved or batch:
        result = _restore(c, result, native if moved else None, batch)
    return result


def flatten_batch(c: Context, lowering: Lowering) -> tuple[str, str] | None:
    """Give every input exactly one batch axis; how the outputs get theirs back, as (suffix, nothing)."""
    first = c.inputs[0]
    extra = first.rank - lowering.axes if lowering.axes is not None else 0
    sizes = ", ".join(c.scope.size(size) for size in sizes_of(first.leaf)[: max(extra, 0)])
    if first.batched:
        if extra <= 0:
            return None
        before, after = f".flatten(0, {extra})", f".unflatten(0, (-1, {sizes}))"
    elif extra <= 0:
        before, after = ".unsqueeze(0)", ".squeeze(0)"
    elif extra == 1:
        return None
    else:
        before, after = f".flatten(0, {extra - 1})", f".unflatten(0, ({sizes}))"
    c.inputs = [Value(f"{c.x(i)}{before}", value.leaf, Mode.BATCHED) for i, value in enumerate(c.inputs)]
    return before, after


def _restore(c: Context, result: Result, native: Native | None, batch: tuple[str, str] | None) -> Result:
    count = len(c.outputs)
    if isinstance(result, str) and count > 1:
        name = c.let(result)
        result = tuple(f"{name}[{i}]" for i in range(count))
    parts = (result,) if isinstance(result, str) else result
    restored = tuple(_back(c, i, part, native, batch) for i, part in enumerate(parts))
    return restored[0] if len(restored) == 1 else restored


def _back(c: Context, i: int, text: str, native: Native | None, batch: tuple[str, str] | None) -> str:
    if batch is not None:
        text = f"{text}{batch[1]}"
    at = native.at_out[i] if native is not None and native.at_out is not None else None
    return text if at is None else move(_atom(text), tuple(range(-len(at), 0)), at)


def _atom(text: str) -> str:
    return text if " " not in text.partition("(")[0] else f"({text})"
